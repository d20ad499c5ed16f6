using Apprentice.Data;
using Apprentice.Models.Registry;
using Apprentice.Models.Weights;

namespace Apprentice.Models.Architectures;

/// <summary>Opens a base model with the architecture that its files name. A new architecture adds a line to each list.</summary>
public static class ModelLoader
{
    /// <summary>By <c>model_type</c> of config.json.</summary>
    private static readonly Dictionary<string, Func<ModelConfig, WeightSource, LanguageModel>> Folders = new()
    {
        ["gemma"] = Gemma.Open,
        ["gemma2"] = Gemma2.Open,
        ["gemma3_text"] = Gemma3.Open,
        ["gpt2"] = Gpt2.Open,
        ["granite"] = Granite.Open,
        ["llama"] = Llama.Open,
        ["mistral"] = Mistral.Open,
        ["olmo2"] = Olmo2.Open,
        ["phi3"] = Phi3.Open,
        ["qwen2"] = Qwen2.Open,
        ["qwen3"] = Qwen3.Open,
        ["smollm3"] = SmolLm3.Open,
    };

    /// <summary>By <c>general.architecture</c> of a GGUF file.</summary>
    private static readonly Dictionary<string, Func<GgufFile, Func<GgufMapping, WeightSource>, LanguageModel>> GgufFiles = new()
    {
        ["gemma"] = Gemma.Open,
        ["gemma2"] = Gemma2.Open,
        ["gemma3"] = Gemma3.Open,
        ["gpt2"] = Gpt2.Open,
        ["granite"] = Granite.Open,
        ["llama"] = (file, open) => Mistral.IsIn(file) ? Mistral.Open(file, open) : Llama.Open(file, open),
        ["olmo2"] = Olmo2.Open,
        ["phi3"] = Phi3.Open,
        ["qwen2"] = Qwen2.Open,
        ["qwen3"] = Qwen3.Open,
        ["smollm3"] = SmolLm3.Open,
    };

    /// <summary>The <c>model_type</c>s that are built.</summary>
    public static IReadOnlyCollection<string> ModelTypes => Folders.Keys;

    /// <param name="trainable">Widen the weights to F32 with gradients, for full fine-tuning.</param>
    /// <param name="gguf">The model's GGUF file where it has been opened already: its header holds the whole vocabulary.</param>
    /// <exception cref="InputException">The files are not sound, or of an architecture that is not supported.</exception>
    public static LanguageModel Open(ModelReference model, bool trainable = false, GgufFile? gguf = null)
    {
        if (model.IsGguf)
        {
            var file = gguf ?? GgufFile.Open(model.Base);
            var build = Named(GgufFiles, file.Metadata.GetString("general.architecture"), file.Path);
            return Build(trainable, hold => build(file, mapping => hold(new GgufSource(file, mapping))));
        }

        return Open(ModelConfig.Open(Path.Combine(model.Base, "config.json")), model.Base, trainable);
    }

    /// <summary>The weights of a folder with a configuration that may lie elsewhere.</summary>
    internal static LanguageModel Open(ModelConfig config, string folder, bool trainable) =>
        Build(trainable, hold => Create(config, hold(new SafetensorsSource(folder))));

    /// <summary>The architecture that a configuration names, with weights from anywhere.</summary>
    internal static LanguageModel Create(ModelConfig config, WeightSource source) =>
        Named(Folders, config.String("model_type") ?? "(no model_type)", config.Path)(config, source);

    /// <summary>A model of random weights from the configuration in a folder that has none yet, to be pretrained.</summary>
    /// <exception cref="InputException">It is no such folder, or of an architecture that is not supported.</exception>
    public static LanguageModel Untrained(ModelReference model, ulong seed)
    {
        if (model.IsGguf || SafetensorsSource.IsIn(model.Base))
        {
            throw new InputException(
                "bad_method", "pretrain starts from random weights; this model has weights already", model.Base,
                hint: "give a folder with config.json, tokenizer.json and no weights; to train the weights that are there, use --method full");
        }

        var config = ModelConfig.Open(Path.Combine(model.Base, "config.json"));
        return config.String("model_type") is "llama"
            ? Untrained(Llama.ReadConfig(config), model.Base, seed)
            : throw new InputException("unsupported_architecture", $"pretrain is built for llama, not for '{config.String("model_type") ?? "(no model_type)"}'", config.Path);
    }

    internal static Llama Untrained(DecoderConfig config, string folder, ulong seed) =>
        new(config, new UntrainedSource(folder, config.Layers, seed, InductionHeads.For(config, seed)));

    /// <summary>Files that turn out to be wrong, or whose weights were all copied to be trained, are not held on to.</summary>
    /// <param name="create">Is given what to hand the opened files to, and what to take the weights from instead.</param>
    private static LanguageModel Build(bool trainable, Func<Func<WeightSource, WeightSource>, LanguageModel> create)
    {
        WeightSource? files = null;
        var held = false;
        try
        {
            var model = create(source =>
            {
                files = source;
                return trainable ? new TrainableSource(source) : source;
            });
            held = !trainable;
            return model;
        }
        finally
        {
            if (!held)
            {
                files?.Dispose();
            }
        }
    }

    private static T Named<T>(Dictionary<string, T> architectures, string name, string path) => architectures.TryGetValue(name, out var found)
        ? found
        : throw new InputException("unsupported_architecture", $"models of architecture '{name}' are not supported; {string.Join(", ", architectures.Keys)} are", path);
}
