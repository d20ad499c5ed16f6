using System.Text.Json;
using System.Text.Json.Serialization;

namespace Apprentice.Training.Runs;

public enum RunEventType
{
    Message,
    Metrics,
}

/// <summary>
/// One line of <c>events.jsonl</c>. What was not measured is left out. Doubles are written with as many digits as it
/// takes to read back the same bits.
/// </summary>
public sealed record RunEvent
{
    public required RunEventType Type { get; init; }

    /// <summary>Optimizer steps done when the event was written.</summary>
    public required int Step { get; init; }

    public double? Epoch { get; init; }

    /// <summary>Mean over the supervised tokens of the step, in nats.</summary>
    public double? TrainLoss { get; init; }

    public double? ValidLoss { get; init; }

    /// <summary>The same for each byte of the text; measured in pretraining only.</summary>
    public double? ValidLossPerByte { get; init; }

    /// <summary>The learning rate that the step used.</summary>
    public double? Lr { get; init; }

    /// <summary>Before clipping.</summary>
    public double? GradNorm { get; init; }

    public double? TokensPerSecond { get; init; }

    public string? Message { get; init; }

    internal static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
        RespectNullableAnnotations = true,
        MaxDepth = 16,
    };
}
