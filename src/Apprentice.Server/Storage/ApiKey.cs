namespace Apprentice.Server.Storage;

/// <summary>What is kept of an API key: enough to know it again, not enough to use it.</summary>
/// <param name="Id">Names it in lists and logs.</param>
/// <param name="Name">What its owner calls it.</param>
/// <param name="Sha256">Of the key, in lower-case hex. A key is 256 random bits, so a slow hash would protect nothing more.</param>
/// <param name="Beginning">Its first characters, for its owner to know it by.</param>
/// <param name="Created">When it was made.</param>
public sealed record ApiKey(string Id, string Name, string Sha256, string Beginning, DateTimeOffset Created);
