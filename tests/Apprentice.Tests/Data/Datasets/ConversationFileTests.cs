using System.Text;
using Apprentice.Data;
using Apprentice.Data.Datasets;

namespace Apprentice.Tests.Data.Datasets;

public sealed class ConversationFileTests : IDisposable
{
    private const string Sound = """
        {"messages": [
          {"role": "system", "content": "Be brief."},
          {"role": "user", "content": "Grüße 😀"},
          {"role": "assistant", "content": "Hello.", "weight": 1}
        ]}
        """;

    private readonly string file = Path.GetTempFileName();

    public void Dispose() => File.Delete(file);

    [Fact]
    public void An_object_or_the_messages_alone_may_end_in_an_answer_or_await_it()
    {
        Assert.Equal(3, Read(Sound, out var isPrompt).Messages.Count);
        Assert.False(isPrompt);
        Assert.Equal("Hi", (string?)Assert.Single(Read("\uFEFF[{\"role\":\"user\",\"content\":\"Hi\"}]", out isPrompt).Prompt)["content"]);
        Assert.True(isPrompt);
    }

    [Fact]
    public void A_mistake_is_told_with_its_line()
    {
        var error = Assert.Throws<InputException>(() => Read(Sound.Replace("\"Be brief.\"", "oops"), out _));
        Assert.Equal((file, 2), (error.File, error.Line));
    }

    [Fact]
    public void Mutated_files_end_in_success_or_a_clear_error()
    {
        var sound = Encoding.UTF8.GetBytes(Sound);
        var refused = 0;
        for (var i = 0; i < 2000; i++)
        {
            var random = new CounterRandom(1, RandomStream.Split, (ulong)i);
            var bytes = sound[..(sound.Length - random.Below(8, 0))];
            for (var change = 0; change <= i % 3; change++)
            {
                bytes[random.Below(bytes.Length, (ulong)(2 * change) + 1)] = (byte)random.Below(256, (ulong)(2 * change) + 2);
            }

            File.WriteAllBytes(file, bytes);
            try
            {
                ConversationFile.Read(file, out _);
            }
            catch (InputException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 500, 1999);
    }

    private Example Read(string text, out bool isPrompt)
    {
        File.WriteAllText(file, text);
        return ConversationFile.Read(file, out isPrompt);
    }
}
