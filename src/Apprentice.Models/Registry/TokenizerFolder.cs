using System.Text.Json.Nodes;
using Apprentice.Data;
using Apprentice.Data.Tokenizers;

namespace Apprentice.Models.Registry;

/// <summary>The two files of a Hugging Face folder that say how a model reads and writes: tokenizer.json and tokenizer_config.json.</summary>
public static class TokenizerFolder
{
    /// <summary>SentencePiece's own files, read where there is no tokenizer.json.</summary>
    public static IReadOnlyList<string> SentencePieceFiles { get; } = ["tokenizer.model", "spiece.model", "sentencepiece.bpe.model"];

    /// <summary>The tokenizer of a Hugging Face folder.</summary>
    /// <exception cref="InputException">The file is missing, broken or not supported.</exception>
    public static Tokenizer Read(string folder)
    {
        var json = Path.Combine(folder, "tokenizer.json");
        var model = File.Exists(json) ? null : SentencePieceFiles.Select(f => Path.Combine(folder, f)).FirstOrDefault(File.Exists);
        return model is null ? Tokenizer.FromJson(json) : Tokenizer.FromSentencePiece(model);
    }

    /// <param name="folder">Is there.</param>
    /// <param name="vocabulary">Tokens, merges, and which token begins, ends and pads.</param>
    /// <param name="template">The chat template's source, or null.</param>
    /// <param name="contextLength">In tokens; null where no model is there yet.</param>
    /// <param name="name">Where the vocabulary comes from, for errors.</param>
    /// <exception cref="InputException">The vocabulary is of a kind that is not supported.</exception>
    public static void Write(string folder, GgufVocabulary vocabulary, string? template, int? contextLength = null, string? name = null)
    {
        using (var stream = File.Create(Path.Combine(folder, "tokenizer.json")))
        {
            TokenizerJsonWriter.Write(vocabulary, stream, name);
        }

        var config = new JsonObject
        {
            ["tokenizer_class"] = "PreTrainedTokenizerFast",
            ["clean_up_tokenization_spaces"] = false,
        };
        if (contextLength is { } length)
        {
            config["model_max_length"] = length;
        }

        foreach (var (role, id) in new[] { ("bos_token", vocabulary.Bos), ("eos_token", vocabulary.Eos), ("unk_token", vocabulary.Unknown), ("pad_token", vocabulary.Padding) })
        {
            if (id >= 0 && id < vocabulary.Tokens.Length)
            {
                config[role] = vocabulary.Tokens[id.Value];
            }
        }

        if (template is not null)
        {
            config["chat_template"] = template;
        }

        ModelFolder.Write(folder, "tokenizer_config.json", config);
    }
}
