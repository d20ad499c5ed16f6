using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Apprentice.Data;

/// <summary>
/// SHA-256 (FIPS 180-4), for which .NET calls OpenSSL on Linux. Where the system has none .NET ends the process without a
/// word that helps; here that is an error like others.
/// </summary>
public static class Sha256
{
    // As .NET looks for it, newest first.
    private static readonly string[] Libraries = ["libssl.so.3", "libssl.so.1.1", "libssl.so.1.0.2", "libssl.so.1.0.0", "libssl.so.10", "libssl.so"];

    private static readonly Lazy<bool> Available = new(() =>
        !OperatingSystem.IsLinux()
        || Environment.GetEnvironmentVariable("CLR_OPENSSL_VERSION_OVERRIDE") is not null
        || Libraries.Any(library => NativeLibrary.TryLoad(library, out _)));

    /// <summary>The 32 bytes of a text's hash, in UTF-8.</summary>
    /// <exception cref="InputException">Code <c>openssl_missing</c>.</exception>
    public static byte[] Hash(string text)
    {
        Require();
        return SHA256.HashData(Encoding.UTF8.GetBytes(text));
    }

    /// <summary>The 32 bytes of a stream's hash.</summary>
    /// <exception cref="InputException">Code <c>openssl_missing</c>.</exception>
    public static byte[] Hash(Stream stream)
    {
        Require();
        return SHA256.HashData(stream);
    }

    /// <summary>The hash of what is to come piece by piece.</summary>
    /// <exception cref="InputException">Code <c>openssl_missing</c>.</exception>
    public static IncrementalHash Begin()
    {
        Require();
        return IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    }

    /// <summary>A hash as text, in lower-case hex; null where the text is none.</summary>
    public static string? Parse(string? text) => text is { Length: 64 } && text.All(char.IsAsciiHexDigit) ? text.ToLowerInvariant() : null;

    private static void Require()
    {
        if (!Available.Value)
        {
            throw new InputException("openssl_missing", "this system has no OpenSSL (libssl), with which files are hashed", hint: "install it (Debian: libssl3)");
        }
    }
}
