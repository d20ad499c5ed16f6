using System.Text;
using Apprentice.Data;
using Apprentice.Models.Architectures;
using Apprentice.Models.Export;
using Apprentice.Tensors;

namespace Apprentice.Models.Weights;

/// <summary>
/// A LoRA adapter in llama.cpp's format: a GGUF file of <c>general.type</c> adapter whose tensors <c>NAME.lora_a</c> [r, in]
/// and <c>NAME.lora_b</c> [out, r] belong to the tensor NAME of the base; what they add is scaled by
/// <c>adapter.lora.alpha</c> / r. Of the embedding A lies transposed, [vocabulary, r].
/// </summary>
public sealed class GgufAdapter
{
    internal const string SuffixA = ".lora_a";
    internal const string SuffixB = ".lora_b";
    internal const string AlphaKey = "adapter.lora.alpha";
    internal const string BaseKey = "general.base_model.0.name";

    private const string ErrorCode = "bad_adapter";
    private const string Mismatch = "adapter_mismatch";
    private const int BeginningBytes = 1 << 16;

    /// <summary>What the beginning of an adapter's file holds: a key, the number of the type string, a length, a word.</summary>
    private static readonly byte[] Mark = [.. "general.type"u8, 8, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, .. "adapter"u8];

    private GgufAdapter(PeftConfig config, IReadOnlyList<(string, (float[], float[]))> pairs) => (Config, Pairs) = (config, pairs);

    /// <summary>The same in PEFT's words.</summary>
    public PeftConfig Config { get; }

    /// <summary>Module names in Hugging Face's spelling and A [r, in], B [out, r] in its order of rows; in the model's order.</summary>
    public IReadOnlyList<(string Module, (float[] A, float[] B) Pair)> Pairs { get; }

    /// <summary>Whether the file says in its beginning that it is an adapter, as every writer does.</summary>
    public static bool Is(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            var beginning = new byte[BeginningBytes];
            var read = stream.ReadAtLeast(beginning, beginning.Length, throwOnEndOfStream: false);
            return beginning.AsSpan(0, read).IndexOf(Mark) >= 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // why it cannot be read is said when it is to be
        }
    }

    /// <summary>The base model that the file names, or null.</summary>
    /// <exception cref="InputException">It is not a sound GGUF file.</exception>
    public static string? BaseOf(string path) => GgufFile.Open(path).Metadata.FindString(BaseKey);

    /// <summary>Reads the file and checks it against the base model.</summary>
    /// <exception cref="InputException">It is not sound, or changes what the model does not have or has in other dimensions.</exception>
    public static GgufAdapter Open(string path, LanguageModel model)
    {
        var file = GgufFile.Open(path);
        var metadata = file.Metadata;
        if (metadata.FindString("general.type") != "adapter" || metadata.FindString("adapter.type") is not "lora")
        {
            throw new InputException("unsupported_adapter", $"the file is no LoRA adapter: general.type is '{metadata.FindString("general.type")}', adapter.type '{metadata.FindString("adapter.type")}'", path);
        }

        var architecture = Describe(model, path);
        var (theirs, ours) = (metadata.GetString("general.architecture"), (string)architecture.Metadata.First(m => m.Key == "general.architecture").Value);
        if (theirs != ours)
        {
            throw new InputException(Mismatch, $"the adapter is for a model of architecture {theirs}; the base is {ours}", path);
        }

        var left = file.Tensors.Select(t => t.Name).ToHashSet();
        var pairs = new List<(string, (float[] A, float[] B))>();
        var ranks = new List<KeyValuePair<string, int>>();
        foreach (var (module, weight) in model.LinearLayers.Select(l => (l.Name, l.Weight)).Prepend(model.TokenEmbedding))
        {
            var stored = architecture.Mapping.Translate($"{module}.weight");
            if (stored is null || !left.Remove(stored + SuffixA))
            {
                continue;
            }

            var isEmbedding = module == model.TokenEmbedding.Name;
            var (a, b) = (file.Find(stored + SuffixA)!, left.Remove(stored + SuffixB) ? file.Find(stored + SuffixB)! : throw Error($"'{stored}' has lora_a but no lora_b"));
            var (inFeatures, outFeatures) = isEmbedding ? (weight.Rows, weight.Columns) : (weight.Columns, weight.Rows);
            var rank = b.Dimensions.Count == 2 ? b.Dimensions[0] : 0; // ggml counts the contiguous dimension first
            long[] expected = isEmbedding ? [rank, inFeatures] : [inFeatures, rank];
            if (rank is < 1 or > 1 << 16 || !a.Dimensions.SequenceEqual(expected) || b.Dimensions[1] != outFeatures)
            {
                throw new InputException(
                    Mismatch, $"the adapter's {stored} has lora_a [{Shape(a)}] and lora_b [{Shape(b)}]; the base model's weight [{outFeatures}, {inFeatures}] needs [{(isEmbedding ? $"{inFeatures}, r" : $"r, {inFeatures}")}] and [{outFeatures}, r]", path);
            }

            var (first, second) = (file.ReadFloats(a.Name), file.ReadFloats(b.Name));
            pairs.Add((module, (
                isEmbedding ? Weight.FromValues(a.Name, trainable: false, first, inFeatures, rank).Turned().ToArray() : first,
                architecture.Mapping.InterleavedHeads($"{module}.weight") is { } heads
                    ? Weight.FromValues(b.Name, trainable: false, second, outFeatures, rank).WithRows(GgufSource.HuggingFaceOrder(outFeatures, heads)).ToArray()
                    : second)));
            ranks.Add(new(module, (int)rank));
        }

        return left.Count == 0 && pairs.Count > 0
            ? new GgufAdapter(ConfigOf(metadata.FindFloat(AlphaKey) ?? 0, ranks), pairs)
            : throw (left.FirstOrDefault() is { } unknown
                ? new InputException(Mismatch, $"the adapter has a tensor '{unknown}', for which the base model has no layer to change", path)
                : Error("the adapter has no tensors"));

        InputException Error(string message) => new(ErrorCode, message, path);
    }

    internal static GgufArchitecture Describe(LanguageModel model, string path)
    {
        try
        {
            return model.ToGguf();
        }
        catch (NotSupportedException e)
        {
            throw new InputException("not_exportable", $"llama.cpp's format has no such base model: {e.Message}", path);
        }
    }

    /// <summary>An alpha of 0 means a factor of 1.</summary>
    private static PeftConfig ConfigOf(float alpha, List<KeyValuePair<string, int>> ranks) => new()
    {
        Rank = ranks[0].Value,
        Alpha = alpha == 0 ? ranks[0].Value : alpha,
        TargetModules = [.. ranks.Select(r => r.Key)],
        RankPattern = new(ranks.Where(r => r.Value != ranks[0].Value)),
        AlphaPattern = new(alpha == 0 ? ranks.Where(r => r.Value != ranks[0].Value).Select(r => KeyValuePair.Create(r.Key, (double)r.Value)) : []),
    };

    private static string Shape(GgufTensorInfo tensor) => string.Join(", ", tensor.Dimensions.Reverse());
}
