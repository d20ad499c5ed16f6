using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Apprentice.Data;
using Apprentice.Data.Files;
using Apprentice.Models.Registry;

namespace Apprentice.Server.Storage;

/// <summary>The API keys that a server accepts: <c>keys.json</c> in the home folder, which its owner alone can read.</summary>
public sealed class ApiKeys
{
    private const string Prefix = "sk-apprentice-";
    private const int LongestName = 64, LongestSecret = 256;

    private readonly SharedList<ApiKey> _file;
    private readonly Lock _reading = new();
    private (DateTime Written, long Length, IReadOnlyList<ApiKey> Keys)? _read;

    /// <param name="home">Null: $APPRENTICE_HOME, else ~/.apprentice.</param>
    public ApiKeys(string? home = null)
    {
        var file = Path.Combine(ApprenticeHome.Of(home), "keys.json");
        _file = new SharedList<ApiKey>(file, "keys", "API keys", Wrong, why => new InputException(
            "bad_keys", $"the list of API keys cannot be read: {why}", file, hint: "mend the file, or move it away and make new keys: apprentice keys add NAME"), secret: true);
    }

    /// <summary>As they were made.</summary>
    /// <exception cref="InputException">Code <c>bad_keys</c>: the file is damaged.</exception>
    public IReadOnlyList<ApiKey> List() => _file.Read();

    /// <summary>Makes a key. It is told here and never again.</summary>
    /// <exception cref="InputException">Code <c>bad_key_name</c>, <c>key_exists</c>, <c>bad_keys</c>, <c>registry_busy</c> or <c>bad_path</c>.</exception>
    public (ApiKey Key, string Secret) Add(string name)
    {
        if (name.Length is 0 or > LongestName || name.Any(char.IsControl) || name.Trim() != name)
        {
            throw new InputException("bad_key_name", $"a key's name has 1 to {LongestName} characters, and no space at its ends", hint: "call it by who will use it: apprentice keys add website");
        }

        var secret = Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        var key = new ApiKey($"key_{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6))}", name, Hash(secret), secret[..(Prefix.Length + 4)], DateTimeOffset.UtcNow);
        _file.Change(keys =>
        {
            if (keys.Exists(k => k.Name == name))
            {
                throw new InputException("key_exists", $"there is a key of the name '{name}' already", hint: $"give another name, or first: apprentice keys revoke {name}");
            }

            keys.Add(key);
        });
        return (key, secret);
    }

    /// <summary>Takes a key back; servers that run heed it with their next request.</summary>
    /// <param name="idOrName">Either.</param>
    /// <exception cref="InputException">Code <c>key_not_found</c>, <c>bad_keys</c>, <c>registry_busy</c> or <c>bad_path</c>.</exception>
    public ApiKey Revoke(string idOrName)
    {
        ApiKey? revoked = null;
        _file.Change(keys =>
        {
            revoked = keys.Find(k => k.Id == idOrName) ?? keys.Find(k => k.Name == idOrName)
                ?? throw new InputException(
                    "key_not_found", "there is no key of this id or name", // which may be a key itself, so it is not repeated
                    hint: Suggestion.Nearest(idOrName, keys.Select(k => k.Name)) is { } near ? MissingFile.DidYouMean(near) : "apprentice keys list shows those that there are");
            keys.Remove(revoked);
        });
        return revoked!;
    }

    /// <summary>The key that this is, or null. Takes as long whichever it is.</summary>
    /// <exception cref="InputException">Code <c>bad_keys</c>: the file is damaged.</exception>
    public ApiKey? Find(string secret)
    {
        if (secret.Length > LongestSecret)
        {
            return null;
        }

        var hash = Encoding.ASCII.GetBytes(Hash(secret));
        ApiKey? found = null;
        foreach (var key in Current())
        {
            found = CryptographicOperations.FixedTimeEquals(hash, Encoding.ASCII.GetBytes(key.Sha256)) ? key : found;
        }

        return found;
    }

    /// <summary>Whether there are keys.</summary>
    /// <exception cref="InputException">Code <c>bad_keys</c>: the file is damaged.</exception>
    public bool Any() => Current().Count > 0;

    /// <summary>The file is read again when it has been replaced.</summary>
    private IReadOnlyList<ApiKey> Current()
    {
        var file = new FileInfo(_file.File);
        var (written, length) = file.Exists ? (file.LastWriteTimeUtc, file.Length) : default;
        lock (_reading)
        {
            if (_read is not { } read || read.Written != written || read.Length != length)
            {
                // What is read may be newer than its time; then it is read once more.
                _read = read = (written, length, _file.Read());
            }

            return read.Keys;
        }
    }

    private static string Hash(string secret) => Convert.ToHexStringLower(Sha256.Hash(secret));

    private static string? Wrong(IReadOnlyList<ApiKey> keys) =>
        keys.Any(k => Sha256.Parse(k.Sha256) != k.Sha256) ? "a key's hash is not 64 hexadecimal digits"
        : keys.DistinctBy(k => k.Id).Count() < keys.Count || keys.DistinctBy(k => k.Name).Count() < keys.Count ? "an id or a name is there twice"
        : null;
}
