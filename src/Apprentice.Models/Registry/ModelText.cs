using System.Text.Json.Nodes;
using Apprentice.Data;
using Apprentice.Data.Batching;
using Apprentice.Data.ChatTemplates;
using Apprentice.Data.Datasets;
using Apprentice.Data.Tokenizers;
using Apprentice.Models.Weights;

namespace Apprentice.Models.Registry;

/// <summary>
/// How a model reads and writes text: its tokenizer and its chat template, from a GGUF file's metadata or from the
/// files of a Hugging Face folder. The weights are not looked at.
/// </summary>
/// <param name="Tokenizer">The tokenizer.</param>
/// <param name="Template">The chat template, or null where the model has none.</param>
/// <param name="SpecialTokens">What the template may ask for: bos_token, eos_token and so on.</param>
/// <param name="Path">The file or folder, for messages.</param>
public sealed record ModelText(Tokenizer Tokenizer, ChatTemplate? Template, IReadOnlyDictionary<string, string?> SpecialTokens, string Path)
{
    /// <summary>The key of a GGUF file's chat template.</summary>
    internal const string GgufTemplate = "tokenizer.chat_template";

    private const string BadConfig = "bad_tokenizer_config";

    /// <param name="gguf">The model's GGUF file where it has been opened already.</param>
    /// <exception cref="InputException">The files are missing, broken or not supported.</exception>
    public static ModelText Load(ModelReference model, GgufFile? gguf = null) =>
        model.IsGguf ? FromGguf(gguf ?? GgufFile.Open(model.Base)) : FromFolder(model.Base);

    public static ModelText FromGguf(GgufFile file)
    {
        var tokenizer = Tokenizer.FromGguf(VocabularyOf(file.Metadata), file.Path);
        var special = new Dictionary<string, string?>
        {
            ["bos_token"] = TokenOf(tokenizer.BosId),
            ["eos_token"] = TokenOf(tokenizer.EosId),
            ["unk_token"] = TokenOf(tokenizer.UnknownId),
            ["pad_token"] = TokenOf(tokenizer.PaddingId),
        };
        var template = file.Metadata.FindString(GgufTemplate);
        return new ModelText(tokenizer, template is null ? null : ChatTemplate.Parse(template, GgufTemplate), special, file.Path);

        string? TokenOf(int? id) => id is { } known ? tokenizer.TokenText(known) : null;
    }

    /// <summary>The tokenizer of a GGUF file as its metadata describe it.</summary>
    internal static GgufVocabulary VocabularyOf(GgufMetadata metadata)
    {
        return new GgufVocabulary
        {
            Model = metadata.GetString("tokenizer.ggml.model"),
            Pre = metadata.FindString("tokenizer.ggml.pre"),
            Tokens = metadata.GetStrings("tokenizer.ggml.tokens"),
            Merges = metadata.FindStrings("tokenizer.ggml.merges") ?? [],
            TokenTypes = metadata.FindInts("tokenizer.ggml.token_type") ?? [],
            Scores = metadata.FindFloats("tokenizer.ggml.scores") ?? [],
            AddSpacePrefix = metadata.FindBool("tokenizer.ggml.add_space_prefix"),
            Bos = Id("bos"),
            Eos = Id("eos"),
            Unknown = Id("unknown"),
            Padding = Id("padding"),
            AddBos = metadata.FindBool("tokenizer.ggml.add_bos_token"),
            AddEos = metadata.FindBool("tokenizer.ggml.add_eos_token"),
        };

        // Some writers put -1 where there is none.
        int? Id(string name) => metadata.FindInt64($"tokenizer.ggml.{name}_token_id") is >= 0 and <= int.MaxValue and var id ? (int)id : null;
    }

    public static ModelText FromFolder(string folder)
    {
        var tokenizer = TokenizerFolder.Read(folder);
        var configFile = System.IO.Path.Combine(folder, "tokenizer_config.json");
        var config = File.Exists(configFile) ? ReadObject(configFile) : [];
        var special = config
            .Where(field => field.Key.EndsWith("_token", StringComparison.Ordinal))
            .ToDictionary(field => field.Key, field => AsText(field.Value) ?? AsText((field.Value as JsonObject)?["content"]));
        return new ModelText(tokenizer, TemplateOf(folder, config, configFile), special, folder);
    }

    /// <exception cref="InputException">Code <c>no_chat_template</c>.</exception>
    public ChatTemplate RequireTemplate() => Template ?? throw new InputException(
        "no_chat_template", "the model has no chat template, so it cannot read a conversation", Path, hint: "give --raw to leave the template out");

    /// <summary>The conversation as the model reads it.</summary>
    /// <exception cref="InputException">Code <c>no_chat_template</c>, or the template fails on it.</exception>
    public RenderedChat Render(IReadOnlyList<JsonObject> messages, JsonArray? tools = null, bool addGenerationPrompt = false) =>
        RequireTemplate().Render(messages, new ChatTemplateOptions { Tools = tools, SpecialTokens = SpecialTokens, AddGenerationPrompt = addGenerationPrompt });

    /// <summary>Ids of a prompt without the template: the tokenizer's own beginning (BOS, where it has one) and the text.</summary>
    public int[] RawPromptIds(string prompt) =>
        [.. Data.Batching.ExampleEncoder.BeginningOf((text, special) => Tokenizer.Encode(text, special)), .. Tokenizer.Encode(prompt, addSpecialTokens: false).Ids];

    /// <summary>Turns examples into tokens; raw leaves the template out.</summary>
    public ExampleEncoder ExampleEncoder(bool raw = false) => new(
        (text, addSpecialTokens) => Tokenizer.Encode(text, addSpecialTokens),
        raw ? null : example => Render(example.Messages, example.Tools),
        Tokenizer.EosId);

    /// <summary>Turns the documents of pretraining into tokens; raw leaves the template out.</summary>
    /// <exception cref="InputException">The tokenizer does not say which token ends a text.</exception>
    public CorpusEncoder CorpusEncoder(bool raw = false) => new(
        (text, addSpecialTokens) => Tokenizer.Encode(text, addSpecialTokens),
        raw ? null : example => Render(example.Messages, example.Tools),
        Tokenizer.IsSpecial,
        Tokenizer.TokenText,
        Tokenizer.EosId ?? throw new InputException(
            "no_end_token", "the tokenizer does not say which token ends a text", Path, hint: "name it in tokenizer_config.json: \"eos_token\": \"<|end|>\""));

    // A file of its own wins over the field of tokenizer_config.json, as in transformers.
    private static ChatTemplate? TemplateOf(string folder, JsonObject config, string configFile)
    {
        var file = System.IO.Path.Combine(folder, "chat_template.jinja");
        if (File.Exists(file))
        {
            using var reader = new BoundedReader(file, BadConfig);
            return ChatTemplate.Parse(System.Text.Encoding.UTF8.GetString(reader.ReadAll()), file);
        }

        // One template, or a list of named ones of which "default" is for conversations.
        var source = config["chat_template"] switch
        {
            JsonArray named => named.OfType<JsonObject>().Where(t => AsText(t["name"]) == "default").Select(t => AsText(t["template"])).FirstOrDefault(),
            var single => AsText(single),
        };
        return source is null ? null : ChatTemplate.Parse(source, configFile);
    }

    private static JsonObject ReadObject(string file)
    {
        using var reader = new BoundedReader(file, BadConfig);
        var json = StrictJson.Parse(reader.ReadAll(), out var problem);
        return problem is not null
            ? throw reader.Error($"not sound JSON: {problem.Message}")
            : json as JsonObject ?? throw reader.Error("it must hold a JSON object");
    }

    private static string? AsText(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}
