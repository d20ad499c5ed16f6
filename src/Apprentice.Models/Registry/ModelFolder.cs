using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Apprentice.Data;

namespace Apprentice.Models.Registry;

/// <summary>The files of a Hugging Face folder beside the weights: configuration, tokenizer, chat template.</summary>
public static class ModelFolder
{
    internal static IReadOnlyList<string> Companions { get; } =
    [
        "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja",
        .. TokenizerFolder.SentencePieceFiles,
    ];

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Copies them from the model's own folder, or makes them from what a GGUF file says.</summary>
    /// <exception cref="InputException">The GGUF file has something that these files cannot say.</exception>
    public static void WriteCompanions(LoadedModel model, string folder)
    {
        if (model.Reference.IsGguf)
        {
            WriteConfigs(model, folder);
            var metadata = model.Gguf!.Metadata;
            TokenizerFolder.Write(folder, ModelText.VocabularyOf(metadata), metadata.FindString(ModelText.GgufTemplate), model.Model.ContextLength, model.Gguf.Path);
            return;
        }

        foreach (var name in Companions)
        {
            var file = Path.Combine(model.Reference.Base, name);
            if (File.Exists(file))
            {
                File.WriteAllBytes(Path.Combine(folder, name), File.ReadAllBytes(file)); // a copy would be read-only where the file is
            }
        }
    }

    /// <summary>To be called before long work: whether <see cref="WriteCompanions"/> will be able to write them.</summary>
    /// <exception cref="InputException">It will not; says why.</exception>
    public static void RequireWritable(LoadedModel model)
    {
        if (model.Reference.IsGguf)
        {
            ConfigOf(model);
        }
    }

    private static JsonObject ConfigOf(LoadedModel model)
    {
        try
        {
            return model.Model.ToConfig();
        }
        catch (NotSupportedException e)
        {
            throw new InputException("full_needs_folder", $"the trained model cannot be written as a Hugging Face folder: {e.Message}", model.Reference.Base,
                hint: "use --method lora, or the model's Hugging Face folder");
        }
    }

    private static void WriteConfigs(LoadedModel model, string folder)
    {
        var config = ConfigOf(model);
        var (bos, eos) = (model.Text.Tokenizer.BosId, model.Text.Tokenizer.EosId);
        config["bos_token_id"] = bos;
        config["eos_token_id"] = eos;
        Write(folder, "config.json", config);
        Write(folder, "generation_config.json", new JsonObject
        {
            ["bos_token_id"] = bos,
            ["eos_token_id"] = new JsonArray([.. model.EndTokens.Order().Select(id => (JsonNode)id)]),
        });
    }

    internal static void Write(string folder, string name, JsonObject content) => File.WriteAllText(Path.Combine(folder, name), content.ToJsonString(Json));
}
