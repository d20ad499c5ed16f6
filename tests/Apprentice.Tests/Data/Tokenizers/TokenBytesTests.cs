using Apprentice.Data.Tokenizers;
using Apprentice.Models.Registry;

namespace Apprentice.Tests.Data.Tokenizers;

public sealed class TokenBytesTests
{
    [Theory]
    [InlineData("Plain text, and <|end|> written out.")]
    [InlineData("größer, 你好 🙂🏽 \u0000\u00ad end")]
    public void The_bytes_of_tokens_put_together_are_the_text(string text)
    {
        using var model = LoadedModel.Open("base");
        foreach (var tokenizer in new[] { model.Text.Tokenizer, Tokenizer.FromJson(System.Text.Encoding.UTF8.GetBytes(TinyTokenizer.Json()), "tiny") })
        {
            var ids = tokenizer.Encode(text, addSpecialTokens: false).Ids;
            Assert.Equal(text, System.Text.Encoding.UTF8.GetString(ids.SelectMany(tokenizer.TokenBytes).ToArray()));
        }
    }

    [Fact]
    public void A_byte_a_space_and_nothing()
    {
        using var model = LoadedModel.Open("base");
        Assert.Empty(model.Text.Tokenizer.TokenBytes(-1));
        Assert.Empty(model.Text.Tokenizer.TokenBytes(int.MaxValue));
    }
}
