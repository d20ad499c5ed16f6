using Apprentice.Data;

namespace Apprentice.Models.Registry;

/// <summary>The files of a Hugging Face folder beside the weights: configuration, tokenizer, chat template.</summary>
public static class ModelFolder
{
    private static readonly string[] Companions =
    [
        "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja",
    ];

    /// <exception cref="InputException">The model is a GGUF file, which has no such files.</exception>
    public static void Require(ModelReference model)
    {
        if (model.IsGguf)
        {
            throw new InputException(
                "full_needs_folder", "full fine-tuning needs a Hugging Face folder; this model is a GGUF file", model.Base, hint: "use --method lora, or the model's Hugging Face folder");
        }
    }

    /// <summary>Copies them from the model's own folder.</summary>
    public static void WriteCompanions(LoadedModel model, string folder)
    {
        foreach (var name in Companions)
        {
            var file = Path.Combine(model.Reference.Base, name);
            if (File.Exists(file))
            {
                File.Copy(file, Path.Combine(folder, name), overwrite: true);
            }
        }
    }
}
