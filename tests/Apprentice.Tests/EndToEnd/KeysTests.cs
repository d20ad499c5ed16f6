namespace Apprentice.Tests.EndToEnd;

public sealed class KeysTests
{
    [Fact]
    public async Task A_key_is_made_listed_and_revoked()
    {
        using var place = new Workplace();
        var made = await place.Run("keys add website --json");
        var secret = made.Json.GetProperty("secret").GetString()!;
        var listed = await place.Run("keys list");
        Assert.Contains("website", listed.Output, StringComparison.Ordinal);
        Assert.Contains(made.Json.GetProperty("id").GetString()!, listed.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(secret, listed.Output + (await place.Run("keys list --json")).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await place.Run("keys revoke website")).Exit);
        Assert.Equal(2, (await place.Run("keys revoke website")).Exit);
        Assert.Contains("There are no API keys", (await place.Run("keys list")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_key_alone_is_on_standard_output()
    {
        using var place = new Workplace();
        var made = await place.Run("keys add website");
        Assert.Matches(@"\Ask-apprentice-[A-Za-z0-9_-]{43}\n\z", made.Output);
        Assert.Contains("not shown again", made.Error, StringComparison.Ordinal);
    }
}
