using System.Numerics.Tensors;
using Apprentice.Data;
using Apprentice.Data.Tokenizers;
using Apprentice.Models.Architectures;
using Apprentice.Models.Registry;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Models.Export;

/// <summary>What an architecture says of itself in a GGUF file.</summary>
/// <param name="Metadata">Under the architecture's own keys.</param>
/// <param name="Mapping">What its weights are called, and what is stored otherwise.</param>
/// <param name="Tensors">What GGUF has as tensors and Hugging Face as settings: divisors of the rotary frequencies.</param>
public sealed record GgufArchitecture(
    IReadOnlyList<(string Key, object Value)> Metadata, GgufMapping Mapping, IEnumerable<(string Name, float[] Values)> Tensors);

/// <summary>
/// Writes a model as one GGUF file with tokenizer and chat template inside, names and types as llama.cpp's converter has
/// them: matrices in the type asked for, norms and biases in F32. An adapter is worked into its base.
/// </summary>
public static class GgufExport
{
    /// <summary>The table of positions, where a model has one, which llama.cpp's converter leaves in F32.</summary>
    private const string LearnedPositions = "position_embd.weight";

    /// <summary>The types that can be written, and the number that <c>general.file_type</c> has for each.</summary>
    public static IReadOnlyDictionary<StorageType, uint> FileTypes { get; } = new Dictionary<StorageType, uint>
    {
        [StorageType.F32] = 0, [StorageType.F16] = 1, [StorageType.BF16] = 32, [StorageType.Q8_0] = 7, [StorageType.Q4_0] = 2, [StorageType.Q4_1] = 3,
    };

    /// <param name="type">Of the matrices; those whose rows are no whole number of blocks become F16.</param>
    /// <param name="name">The model's name, for people.</param>
    /// <param name="stream">Where the file goes.</param>
    /// <returns>The names of the matrices that became F16.</returns>
    /// <exception cref="InputException">The format cannot say something of the model, which is named; nothing was written.</exception>
    public static IReadOnlyList<string> Write(LoadedModel model, StorageType type, string name, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(model);
        MergedWeights.Check(model);
        var architecture = Describe(model);
        var vocabulary = model.Gguf is { } gguf ? ModelText.VocabularyOf(gguf.Metadata) : model.Text.Tokenizer.ToGguf(model.Text.Path);
        var tensors = model.Model.Weights.Select(w => TensorOf(model, w.Key, w.Value, architecture, type)).ToList();
        tensors.AddRange(architecture.Tensors.Select(t => new GgufTensor(t.Name, [t.Values.Length], TypeOf(StorageType.F32), stream => WriteRow(stream, StorageType.F32, t.Values))));

        GgufWriter.Write(stream, Metadata(model, architecture, vocabulary, type, name), tensors);
        return [.. tensors.Where(t => t.Type.Storage != type && t.Type.Storage != StorageType.F32).Select(t => t.Name)];
    }

    private static GgufArchitecture Describe(LoadedModel model)
    {
        try
        {
            return model.Model.ToGguf();
        }
        catch (NotSupportedException e)
        {
            throw new InputException("not_exportable", $"the model cannot be written as GGUF: {e.Message}", model.Reference.Base);
        }
    }

    private static IEnumerable<(string Key, object Value)> Metadata(LoadedModel model, GgufArchitecture architecture, GgufVocabulary vocabulary, StorageType type, string name)
    {
        yield return ("general.type", "model");
        yield return ("general.name", name);
        yield return ("general.file_type", FileTypes[type]);
        yield return ("general.quantization_version", 2u);
        foreach (var pair in architecture.Metadata)
        {
            yield return pair;
        }

        // As many tokens as the embedding has rows: llama.cpp wants a text for each.
        var count = model.Model.Vocabulary;
        var types = vocabulary.TokenTypes.Length > 0 ? vocabulary.TokenTypes : Enumerable.Repeat(GgufVocabulary.Normal, vocabulary.Tokens.Length);
        yield return ("tokenizer.ggml.model", vocabulary.Model);
        yield return ("tokenizer.ggml.pre", vocabulary.Pre ?? "default");
        yield return ("tokenizer.ggml.tokens", (string[])[.. vocabulary.Tokens, .. Enumerable.Range(vocabulary.Tokens.Length, count - vocabulary.Tokens.Length).Select(id => $"[PAD{id}]")]);
        yield return ("tokenizer.ggml.token_type", (int[])[.. types, .. Enumerable.Repeat(GgufVocabulary.Unused, count - vocabulary.Tokens.Length)]);
        if (vocabulary.Scores.Length > 0)
        {
            yield return ("tokenizer.ggml.scores", (float[])[.. vocabulary.Scores, .. new float[count - vocabulary.Tokens.Length]]);
            yield return ("tokenizer.ggml.add_space_prefix", vocabulary.AddSpacePrefix ?? true);
        }
        else
        {
            yield return ("tokenizer.ggml.merges", vocabulary.Merges);
        }

        foreach (var (role, id) in new[] { ("bos", vocabulary.Bos), ("eos", vocabulary.Eos), ("unknown", vocabulary.Unknown), ("padding", vocabulary.Padding) })
        {
            if (id is { } known)
            {
                yield return ($"tokenizer.ggml.{role}_token_id", (uint)known);
            }
        }

        yield return ("tokenizer.ggml.add_bos_token", vocabulary.AddBos ?? false);
        yield return ("tokenizer.ggml.add_eos_token", vocabulary.AddEos ?? false);
        if (model.Text.Template is { } template)
        {
            yield return (ModelText.GgufTemplate, template.Source);
        }
    }

    private static GgufTensor TensorOf(LoadedModel model, string name, Weight weight, GgufArchitecture architecture, StorageType asked)
    {
        var translated = architecture.Mapping.Translate(name) ?? throw new InputException("not_exportable", $"GGUF has no name for the weight '{name}'");
        var vector = weight.Shape.Count == 1;
        var type = vector || translated == LearnedPositions ? StorageType.F32
            : weight.Columns % BlockFormats.BlockElements(asked) == 0 ? asked
            : StorageType.F16;
        return new GgufTensor(translated, [.. weight.Shape], TypeOf(type), stream =>
        {
            var order = architecture.Mapping.InterleavedHeads(name) is { } heads ? GgufSource.InterleavedOrder((int)weight.Shape[0], heads) : null;
            var (row, offset) = (new float[weight.Columns], architecture.Mapping.OffsetOf(name));
            for (var r = 0; r < weight.Rows; r++)
            {
                MergedWeights.CopyRow(model, name, weight, vector || order is null ? r : order[r], row);
                if (offset != 0)
                {
                    TensorPrimitives.Add(row, offset, row);
                }

                WriteRow(stream, type, vector && order is not null ? Array.ConvertAll(order, at => row[at]) : row);
            }
        });
    }

    internal static void WriteRow(Stream stream, StorageType type, float[] row)
    {
        var bytes = new byte[BlockFormats.RowBytes(type, row.Length)];
        BlockFormats.FromFloats(type, row, bytes);
        stream.Write(bytes);
    }

    private static GgmlType TypeOf(StorageType type) => GgmlType.All.Values.Single(t => t.Storage == type);
}
