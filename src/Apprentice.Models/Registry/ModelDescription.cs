using Apprentice.Data;
using Apprentice.Models.Weights;

namespace Apprentice.Models.Registry;

/// <summary>The tensors of a file that are stored in one type.</summary>
public sealed record StoredType(string Type, int Tensors, long Parameters, long Bytes);

/// <summary>
/// What a base model's files say of it. Only headers are read, so that a model can be looked at which is of an unknown architecture, of
/// types that nothing computes with, or larger than the memory.
/// </summary>
public sealed record ModelDescription
{
    /// <summary><c>gguf</c> or <c>folder</c> (Hugging Face).</summary>
    public required string Kind { get; init; }

    /// <summary>As the file calls it, or null.</summary>
    public string? Name { get; init; }

    /// <summary><c>general.architecture</c> or <c>model_type</c>, or null where it is missing.</summary>
    public string? Architecture { get; init; }

    /// <summary>What the tensors hold in all; rotary factors are none.</summary>
    public long Parameters => Types.Sum(t => t.Parameters);

    /// <summary>Of the weights' files.</summary>
    public required long Bytes { get; init; }

    /// <summary>By bytes, the largest first; empty for a folder without weights.</summary>
    public required IReadOnlyList<StoredType> Types { get; init; }

    /// <summary>Tokens that the model was made for, or null.</summary>
    public int? ContextLength { get; init; }

    /// <summary>Tokens that it knows, or null.</summary>
    public int? Vocabulary { get; init; }

    /// <summary>As the files name it, or null.</summary>
    public string? License { get; init; }

    /// <exception cref="InputException">The files are not sound.</exception>
    public static ModelDescription Read(ModelReference model) => model.Base == BuiltInModel.File ? OfGguf(GgufFile.Open(model.Base)) with { License = BuiltInModel.License }
        : model.IsGguf ? OfGguf(GgufFile.Open(model.Base))
        : OfFolder(model.Base);

    private static ModelDescription OfGguf(GgufFile file)
    {
        var metadata = file.Metadata;
        var architecture = metadata.FindString("general.architecture");
        return new ModelDescription
        {
            Kind = "gguf",
            Name = metadata.FindString("general.name"),
            Architecture = architecture,
            Bytes = LengthOf(file.Path),
            Types = Group(file.Tensors.Where(t => !t.Name.StartsWith("rope_f", StringComparison.Ordinal)).Select(t => (t.TypeName, t.Elements, t.ByteLength))),
            ContextLength = metadata.FindSize($"{architecture}.context_length"),
            Vocabulary = metadata.FindStrings("tokenizer.ggml.tokens")?.Length ?? metadata.FindSize($"{architecture}.vocab_size"),
            License = metadata.FindString("general.license.name") ?? metadata.FindString("general.license"),
        };
    }

    private static ModelDescription OfFolder(string folder)
    {
        var file = Path.Combine(folder, "config.json");
        var config = File.Exists(file) ? ModelConfig.Open(file) : null;
        var text = config?.Object("text_config") ?? config; // a model that sees, too, has it inside
        var weights = SafetensorsSource.IsIn(folder) ? new SafetensorsSource(folder).Headers : [];
        return new ModelDescription
        {
            Kind = "folder",
            Name = config?.String("_name_or_path") is { Length: > 0 } name ? name : null,
            Architecture = config?.String("model_type"),
            Bytes = weights.Sum(w => LengthOf(w.Path)),
            Types = Group(weights.SelectMany(w => w.Tensors).Where(t => !t.Name.EndsWith(".inv_freq", StringComparison.Ordinal)).Select(t => (t.DType, t.Elements, t.ByteLength))),
            ContextLength = text?.FindSize("max_position_embeddings") ?? text?.FindSize("n_positions"),
            Vocabulary = text?.FindSize("vocab_size"),
            License = ModelLicense.Of(folder),
        };
    }

    /// <summary>Of what a link leads to, where it is one, as in the cache of Hugging Face's hub.</summary>
    internal static long LengthOf(string file)
    {
        using var handle = File.OpenHandle(file);
        return RandomAccess.GetLength(handle);
    }

    private static StoredType[] Group(IEnumerable<(string Type, long Elements, long Bytes)> tensors) =>
    [
        .. tensors.GroupBy(t => t.Type)
            .Select(g => new StoredType(g.Key, g.Count(), g.Sum(t => t.Elements), g.Sum(t => t.Bytes)))
            .OrderByDescending(t => t.Bytes).ThenBy(t => t.Type, StringComparer.Ordinal),
    ];
}
