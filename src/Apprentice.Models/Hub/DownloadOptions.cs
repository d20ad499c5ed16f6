using Apprentice.Data;

namespace Apprentice.Models.Hub;

/// <summary>From where models are downloaded, and how patiently. It is no record, whose text would show the token.</summary>
public sealed class DownloadOptions
{
    public const string PublicHub = "https://huggingface.co";

    /// <summary>The hub whose repositories <c>hf:owner/name</c> names.</summary>
    public Uri Hub { get; init; } = new(PublicHub);

    /// <summary>Sent to the hub's own host and to no other, or null.</summary>
    public string? Token { get; init; }

    /// <summary>Most bytes of a model, all its files together.</summary>
    public long MaxBytes { get; init; } = 100_000_000_000;

    /// <summary>A connection that brings nothing for so long is given up, and begun anew.</summary>
    public TimeSpan Stall { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Failures one after the other, none of which brought anything, before a download is given up.</summary>
    public int Attempts { get; init; } = 5;

    /// <summary>The pause after the first failure; each further one is twice as long.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Bytes of which less is as good as nothing: a server could give one at a time for ever.</summary>
    internal int Worthwhile { get; init; } = 1 << 18;

    /// <summary>For tests: takes the place of the network.</summary>
    internal HttpMessageHandler? Network { get; init; }

    /// <summary>The hub as HF_ENDPOINT names it and the token as HF_TOKEN does, where they are set.</summary>
    /// <exception cref="InputException">Code <c>bad_address</c> or <c>bad_token</c>.</exception>
    public static DownloadOptions FromEnvironment(long? maxBytes = null)
    {
        var usual = new DownloadOptions();
        var token = Environment.GetEnvironmentVariable("HF_TOKEN")?.Trim();
        return new DownloadOptions
        {
            Hub = Environment.GetEnvironmentVariable("HF_ENDPOINT") is { Length: > 0 } hub ? WebAddress.Parse(hub, "HF_ENDPOINT") : usual.Hub,
            Token = token is null or "" ? null : token.All(c => c is > ' ' and < '\x7f') ? token
                : throw new InputException("bad_token", "HF_TOKEN holds something that no token has in it, such as a space", hint: "set it to the token alone, as the hub shows it"),
            MaxBytes = maxBytes ?? usual.MaxBytes,
        };
    }
}
