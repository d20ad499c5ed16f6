using Apprentice.Models.Generation;

namespace Apprentice.Server;

/// <summary>A model and what requests call it.</summary>
/// <param name="Name">What a request's <c>model</c> says.</param>
/// <param name="Reference">A model reference: a .gguf file, a Hugging Face, run or adapter folder, a registered name, or <c>base</c>.</param>
public sealed record ModelToServe(string Name, string Reference);

/// <summary>What to serve, where, and within which limits.</summary>
public sealed record ServerOptions
{
    public required IReadOnlyList<ModelToServe> Models { get; init; }

    /// <summary>Addresses to listen on; port 0 takes a free one.</summary>
    public IReadOnlyList<string> Urls { get; init; } = ["http://127.0.0.1:8080"];

    /// <summary>How much each model takes on at once.</summary>
    public BatchOptions Batch { get; init; } = new();

    /// <summary>Whether every request needs a key; where an address can be reached from other machines each does in any case.</summary>
    public bool RequireKey { get; init; }

    /// <summary>Folder of the keys; null: the registry's.</summary>
    public string? Home { get; init; }

    /// <summary>Largest body of a request, in bytes.</summary>
    public long MaxBodyBytes { get; init; } = 4 << 20;

    /// <summary>Requests under way at once, waiting ones included; whoever comes beside them gets 429.</summary>
    public int MaxRequests { get; init; } = 256;

    /// <summary>Longest prompt in tokens; null: the model's context.</summary>
    public int? MaxPromptTokens { get; init; }

    /// <summary>Longest time for one request.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Longest time for the head of a request.</summary>
    internal TimeSpan HeadTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long requests under way may go on once the server is asked to stop.</summary>
    public TimeSpan ShutdownTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether prompts and answers are logged; otherwise they never are.</summary>
    public bool LogPrompts { get; init; }
}
