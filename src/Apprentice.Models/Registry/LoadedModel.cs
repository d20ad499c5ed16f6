using System.Text.Json.Nodes;
using Apprentice.Data;
using Apprentice.Models.Architectures;
using Apprentice.Models.Layers;
using Apprentice.Models.Weights;

namespace Apprentice.Models.Registry;

/// <summary>A model ready to be used: weights, adapter if any, tokenizer and chat template.</summary>
public sealed class LoadedModel : IDisposable
{
    private LoadedModel(ModelReference reference, GgufFile? gguf, LanguageModel model, LoraAdapter? adapter, ModelText text)
    {
        Reference = reference;
        Gguf = gguf;
        Model = model;
        Adapter = adapter;
        Text = text;
        EndTokens = FindEndTokens();
    }

    public ModelReference Reference { get; }

    /// <summary>The header of the GGUF file, or null for a folder.</summary>
    public GgufFile? Gguf { get; }

    public LanguageModel Model { get; }

    public LoraAdapter? Adapter { get; }

    public ModelText Text { get; }

    /// <summary>Tokens that end an answer: those that the metadata name, and the one that the chat template puts after an answer.</summary>
    public IReadOnlySet<int> EndTokens { get; }

    /// <exception cref="InputException">There is no such model, or it is not sound or not supported.</exception>
    /// <param name="path">A model reference.</param>
    /// <param name="trainable">Whether all weights are to be trained.</param>
    /// <param name="adapter">An adapter for the base that the reference names, or null.</param>
    public static LoadedModel Open(string path, bool trainable = false, string? adapter = null)
    {
        var reference = ModelReference.Resolve(path, adapter);
        var gguf = reference.IsGguf ? GgufFile.Open(reference.Base) : null;
        var text = ModelText.Load(reference, gguf);
        return Create(path, reference, gguf, ModelLoader.Open(reference, trainable, gguf), text);
    }

    /// <summary>A model to be pretrained: a folder with configuration and tokenizer, and weights at random.</summary>
    /// <exception cref="InputException">There is no such folder, or it is not sound, not supported, or has weights.</exception>
    public static LoadedModel OpenUntrained(string path, ulong seed)
    {
        var reference = ModelReference.Resolve(path);
        var model = ModelLoader.Untrained(reference, seed);
        return Create(path, reference, gguf: null, model, ModelText.Load(reference));
    }

    private static LoadedModel Create(string path, ModelReference reference, GgufFile? gguf, LanguageModel model, ModelText text)
    {
        try
        {
            return text.Tokenizer.VocabularySize <= model.Vocabulary
                ? new LoadedModel(reference, gguf, model, reference.Adapter is { } adapter ? LoraAdapter.Load(model, adapter) : null, text)
                : throw new InputException(
                    "vocabulary_mismatch", $"the tokenizer has {text.Tokenizer.VocabularySize} tokens, the model's embedding {model.Vocabulary}", path);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Ids of the prompt of a conversation, up to where the assistant begins to answer.</summary>
    public int[] PromptIds(IReadOnlyList<JsonObject> messages, JsonArray? tools = null) =>
        Text.Tokenizer.Encode(Text.Render(messages, tools, addGenerationPrompt: true).Text, addSpecialTokens: false).Ids;

    /// <summary>Ids of a prompt that does not go through the chat template.</summary>
    public int[] RawPromptIds(string prompt) => Text.RawPromptIds(prompt);

    public void Dispose() => Model.Dispose();

    private HashSet<int> FindEndTokens()
    {
        var ends = new HashSet<int>();
        Add(Text.Tokenizer.EosId);
        foreach (var id in MetadataEnds())
        {
            Add(id);
        }

        Add(TemplateEnd());
        return ends;

        void Add(int? id)
        {
            if (id is { } known && known >= 0 && known < Model.Vocabulary)
            {
                ends.Add(known);
            }
        }
    }

    private IEnumerable<int?> MetadataEnds()
    {
        if (Gguf?.Metadata is { } metadata)
        {
            return new[] { "eos", "eot", "eom" }.Select(name => (int?)metadata.FindInt64($"tokenizer.ggml.{name}_token_id"));
        }

        return new[] { "config.json", "generation_config.json" }
            .Select(name => Path.Combine(Reference.Base, name))
            .Where(File.Exists)
            .SelectMany(file => ModelConfig.Open(file).Integers("eos_token_id"))
            .Select(id => (int?)id);
    }

    /// <summary>The special token right after an answer in a rendered conversation.</summary>
    private int? TemplateEnd()
    {
        if (Text.Template is null)
        {
            return null;
        }

        try
        {
            const string Answer = "Yes";
            var chat = Text.Render([Message("user", "Ready?"), Message("assistant", Answer)]).Text;
            var answer = chat.LastIndexOf(Answer, StringComparison.Ordinal);
            var after = answer < 0 ? "" : chat[(answer + Answer.Length)..].TrimStart();
            var ids = Text.Tokenizer.Encode(after, addSpecialTokens: false).Ids;
            return ids.Length > 0 && Text.Tokenizer.IsSpecial(ids[0]) ? ids[0] : null;
        }
        catch (InputException)
        {
            return null; // a template that refuses this conversation tells nothing
        }
    }

    internal static JsonObject Message(string role, string content) => new() { ["role"] = role, ["content"] = content };
}
