using Apprentice.Data;
using Apprentice.Server.Storage;
using Apprentice.Tests.Models.Weights;

namespace Apprentice.Tests.Server;

public sealed class ApiKeysTests : IDisposable
{
    private readonly ScratchFolder _home = new();

    private ApiKeys Keys => new(_home.Path);

    public void Dispose() => _home.Dispose();

    [Fact]
    public void A_key_is_known_again_and_never_kept()
    {
        var keys = Keys;
        Assert.False(keys.Any());
        var (key, secret) = keys.Add("website");
        Assert.Equal(key, keys.Find(secret));
        Assert.Equal(key, Keys.Find(secret));
        Assert.Null(keys.Find(secret + "x"));
        Assert.Null(keys.Find(""));
        var kept = File.ReadAllText(_home.File("keys.json"));
        Assert.DoesNotContain(secret, kept, StringComparison.Ordinal);
        Assert.DoesNotContain(secret[20..], kept, StringComparison.Ordinal);
        Assert.StartsWith("sk-apprentice-", secret, StringComparison.Ordinal);
        Assert.NotEqual(secret, keys.Add("other").Secret);
    }

    [SkippableFact]
    public void Only_its_owner_can_read_the_file()
    {
        Keys.Add("a");
        Keys.Add("b");
        if (OperatingSystem.IsWindows())
        {
            throw new SkipException("Windows has no such modes");
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_home.File("keys.json")));
    }

    [Fact]
    public void A_running_server_sees_what_another_process_adds_and_revokes()
    {
        var server = Keys;
        var (key, secret) = Keys.Add("a");
        Assert.Equal(key, server.Find(secret));
        Keys.Revoke("a");
        Assert.Null(server.Find(secret));
        Assert.False(server.Any());
    }

    [Theory]
    [InlineData("", "bad_key_name")]
    [InlineData(" a", "bad_key_name")]
    [InlineData("a\u001b[31m", "bad_key_name")]
    [InlineData("a", "key_exists")]
    public void A_name_that_will_not_do_is_refused(string name, string code)
    {
        Keys.Add("a");
        Assert.Equal(code, Assert.Throws<InputException>(() => Keys.Add(name)).Code);
    }

    [Fact]
    public void What_is_not_there_cannot_be_revoked_and_a_key_given_by_mistake_is_not_repeated()
    {
        var (_, secret) = Keys.Add("website");
        var error = Assert.Throws<InputException>(() => Keys.Revoke(secret));
        Assert.Equal("key_not_found", error.Code);
        Assert.DoesNotContain(secret, error.Message + error.Hint, StringComparison.Ordinal);
        Assert.Contains("website", Assert.Throws<InputException>(() => Keys.Revoke("websit")).Hint, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("""{"keys":[null]}""")]
    [InlineData("""{"keys":[{"id":"a"}]}""")]
    [InlineData("""{"keys":[{"id":"a","name":"n","sha256":"x","beginning":"b","created":"2026-01-01T00:00:00Z"}]}""")]
    [InlineData("""{"models":[]}""")]
    public void A_damaged_file_lets_nobody_in_and_says_so(string content)
    {
        File.WriteAllText(_home.File("keys.json"), content);
        Assert.Equal("bad_keys", Assert.Throws<InputException>(() => Keys.Find("x")).Code);
    }

    [Fact]
    public void Many_at_once_lose_nothing()
    {
        Parallel.For(0, 20, i => Keys.Add($"k{i}"));
        Assert.Equal(20, Keys.List().Count);
    }
}
