using System.Text.Json;
using System.Text.Json.Serialization;
using Apprentice.Data;

namespace Apprentice.Training.Checkpoints;

/// <summary>
/// What a run must know, beside weights and optimizer state, to go on from a checkpoint: its <c>state.json</c>. Data
/// order, dropout and the learning rate follow from the step alone.
/// </summary>
public sealed record CheckpointState
{
    /// <summary>Optimizer steps done.</summary>
    public required int Step { get; init; }

    /// <summary>Passes over the training data done, with fraction.</summary>
    public double Epoch { get; init; }

    /// <summary>The step whose checkpoint had the lowest validation loss so far; null while nothing was evaluated.</summary>
    public int? BestStep { get; init; }

    public double? BestValidLoss { get; init; }

    /// <summary>Evaluations in a row that were no better than the best: early stopping counts them.</summary>
    public int EvaluationsSinceBest { get; init; }

    /// <summary>Tokens trained on so far, padding not counted.</summary>
    public long Tokens { get; init; }

    /// <summary>Sizes in bytes of the checkpoint's other files, by name; what was cut since then is not taken for whole.</summary>
    public SortedDictionary<string, long> Files { get; init; } = new(StringComparer.Ordinal);

    internal const string FileName = "state.json";

    internal static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
        RespectNullableAnnotations = true,
        MaxDepth = 16,
    };

    /// <exception cref="InputException">The checkpoint is damaged; says in what way.</exception>
    internal static CheckpointState Read(string directory)
    {
        var file = Path.Combine(directory, FileName);
        CheckpointState state;
        try
        {
            state = JsonSerializer.Deserialize<CheckpointState>(File.ReadAllBytes(file), Json) ?? throw new JsonException("it is null");
        }
        catch (Exception e) when (e is JsonException or IOException)
        {
            throw new InputException("bad_checkpoint", $"the checkpoint's {FileName} cannot be read: {e.Message}", file);
        }

        foreach (var (name, bytes) in state.Files)
        {
            var content = new FileInfo(Path.Combine(directory, name.Replace('\0', '?')));
            if (!content.Exists || content.Length != bytes)
            {
                throw new InputException("bad_checkpoint",
                    $"the checkpoint's {name} {(content.Exists ? $"has {content.Length} bytes" : "is missing")}; it was written with {bytes} bytes", content.FullName);
            }
        }

        return state;
    }
}
