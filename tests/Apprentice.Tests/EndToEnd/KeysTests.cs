namespace Apprentice.Tests.EndToEnd;

public sealed class KeysTests
{
    [Fact]
    public async Task A_key_is_made_listed_and_revoked()
    {
        using var place = new Workplace();
        var made = await Run(place, "keys add website --json");
        var secret = made.Json.GetProperty("secret").GetString()!;
        var listed = await Run(place, "keys list");
        Assert.Contains("website", listed.Output, StringComparison.Ordinal);
        Assert.Contains(made.Json.GetProperty("id").GetString()!, listed.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(secret, listed.Output + (await Run(place, "keys list --json")).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await Run(place, "keys revoke website")).Exit);
        Assert.Equal(2, (await Run(place, "keys revoke website")).Exit);
        Assert.Contains("There are no API keys", (await Run(place, "keys list")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_key_alone_is_on_standard_output()
    {
        using var place = new Workplace();
        var made = await Run(place, "keys add website");
        Assert.Matches(@"\Ask-apprentice-[A-Za-z0-9_-]{43}\n\z", made.Output);
        Assert.Contains("not shown again", made.Error, StringComparison.Ordinal);
    }

    private static async Task<CliResult> Run(Workplace place, string command)
    {
        using var cli = CliProcess.Start(command.Split(' '), new Dictionary<string, string> { ["APPRENTICE_HOME"] = place.In("home") });
        return await cli.WaitAsync();
    }
}
