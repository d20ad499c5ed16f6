namespace Apprentice.Server.Storage;
internal sealed record ApiKey(string Id);
internal sealed class ApiKeys(string? home) { public ApiKey? Find(string s) => home == s ? new ApiKey(s) : null; public bool Any() => home == "?"; }
