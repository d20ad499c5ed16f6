using Apprentice.Data.Batching;
using Apprentice.Models.Architectures;

namespace Apprentice.Training;

/// <summary>
/// What a training step will take, before it is run: time from its useful work (<see cref="TrainingWork"/>) and the
/// machine's peak, memory from what lies there at once. <c>docs/scaling.md</c> has the formulas beside measurements.
/// </summary>
/// <param name="trainedParameters">Each is there four times: value, gradient and two moments.</param>
/// <param name="recompute">Whether a layer keeps its input only and runs again in backward.</param>
/// <param name="adapterFloatsPerToken">Kept beside what the model keeps: for DoRA the outputs of its layers before their magnitudes.</param>
public sealed class Forecast(LanguageModel model, long trainedParameters, bool recompute, long adapterFloatsPerToken = 0)
{
    /// <summary>The share of the fp32 peak that useful work reaches, as measured on the models of <c>docs/scaling.md</c>.</summary>
    public const double ShareOfPeak = 0.62;

    /// <summary>Resident memory of the program without any model.</summary>
    private const long ProgramBytes = 65_000_000;

    /// <summary>Most that products pack and that the output projection holds of logits.</summary>
    private const long ProductBytes = 22_000_000;

    /// <summary>Most bytes of activations and their gradients at once, for so many tokens in a micro-batch.</summary>
    public long ActivationBytes(long tokens)
    {
        var kept = model.KeptFloatsPerToken + adapterFloatsPerToken;
        var layers = recompute ? (long)model.Layers * model.Head.Columns + kept / model.Layers : kept;
        return tokens * (layers + model.WorkingFloatsPerToken) * sizeof(float);
    }

    /// <summary>Peak resident bytes of the process; pages of the mapped model count.</summary>
    public long PeakBytes(long tokens) =>
        ProgramBytes + ProductBytes + model.Weights.Values.Sum(w => w.Bytes) + trainedParameters * 4 * sizeof(float) + ActivationBytes(tokens);

    /// <summary>Resident bytes of answering in one conversation of so many tokens; pages of the mapped model count.</summary>
    public static long ServingBytes(LanguageModel model, long tokens) =>
        ProgramBytes + ProductBytes + model.Weights.Values.Sum(w => w.Bytes) + tokens * CacheBytesPerToken(model);

    /// <summary>Keys and values of a token, in all layers.</summary>
    public static long CacheBytesPerToken(LanguageModel model) => 2L * model.Layers * model.KeyValueWidth * sizeof(float);

    /// <summary>Seconds that forward and backward of a packed batch take.</summary>
    /// <param name="work">Of the same model and adapter.</param>
    /// <param name="peak">fp32 peak of all threads in GFLOP/s.</param>
    public double Seconds(TrainingWork work, Batch batch, double peak)
    {
        ArgumentNullException.ThrowIfNull(work);
        var flops = work.Flops(batch) + (recompute ? work.ForwardFlops(batch) : 0);
        return flops / (ShareOfPeak * peak * 1e9);
    }
}
