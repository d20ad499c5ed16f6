using Apprentice.Data;
using Apprentice.Models.Registry;
using Apprentice.Models.Weights;

namespace Apprentice.Models.Architectures;

/// <summary>Opens a base model with the architecture that its files name. A new architecture adds a line to each list.</summary>
public static class ModelLoader
{
    /// <param name="trainable">Widen the weights to F32 with gradients, for full fine-tuning.</param>
    /// <param name="gguf">The model's GGUF file where it has been opened already: its header holds the whole vocabulary.</param>
    /// <exception cref="InputException">The files are not sound, or of an architecture that is not supported.</exception>
    public static LanguageModel Open(ModelReference model, bool trainable = false, GgufFile? gguf = null) =>
        model.IsGguf ? FromGguf(gguf ?? GgufFile.Open(model.Base), trainable) : FromFolder(model.Base, trainable);

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
        switch (config.String("model_type"))
        {
            case "llama":
                return Untrained(LlamaConfig.From(config), model.Base, seed);
            case var other:
                throw Unsupported(other ?? "(no model_type)", config.Path);
        }
    }

    internal static Llama Untrained(LlamaConfig config, string folder, ulong seed) =>
        new(config, new UntrainedSource(folder, config.Layers, seed, InductionHeads.For(config, seed)));

    private static Llama FromGguf(GgufFile file, bool trainable)
    {
        switch (file.Metadata.GetString("general.architecture"))
        {
            case "llama":
                var config = LlamaConfig.From(file);
                return Build(Llama.FromGguf(file, config), trainable, source => new Llama(config, source));
            case var other:
                throw Unsupported(other, file.Path);
        }
    }

    private static Llama FromFolder(string folder, bool trainable)
    {
        var config = ModelConfig.Open(Path.Combine(folder, "config.json"));
        return config.String("model_type") switch
        {
            "llama" => Build(new SafetensorsSource(folder), trainable, source => new Llama(LlamaConfig.From(config), source)),
            var other => throw Unsupported(other ?? "(no model_type)", config.Path),
        };
    }

    /// <summary>Files that turn out to be wrong, or whose weights were all copied to be trained, are not held on to.</summary>
    private static Llama Build(WeightSource source, bool trainable, Func<WeightSource, Llama> create)
    {
        var held = false;
        try
        {
            var model = create(trainable ? new TrainableSource(source) : source);
            held = !trainable;
            return model;
        }
        finally
        {
            if (!held)
            {
                source.Dispose();
            }
        }
    }

    private static InputException Unsupported(string architecture, string path) =>
        new("unsupported_architecture", $"models of architecture '{architecture}' are not supported; llama is", path);
}
