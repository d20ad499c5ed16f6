using System.Text.Json;
using System.Text.Json.Nodes;
using Apprentice.Data.Tokenizers;

namespace Apprentice.Tests.Data.Tokenizers;

/// <summary>A tokenizer.json made on the spot: the bytes, a few merges, some added tokens.</summary>
internal static class TinyTokenizer
{
    public const string ByteLevel = """{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}""";

    public static Tokenizer Make(string? preTokenizer = null, string? normalizer = null) =>
        Tokenizer.FromJson(System.Text.Encoding.UTF8.GetBytes(Json(preTokenizer, normalizer)), "tiny");

    public static string Json(string? preTokenizer = null, string? normalizer = null)
    {
        var vocabulary = new JsonObject();
        for (var b = 0; b < 256; b++)
        {
            vocabulary[ByteAlphabet.Character((byte)b).ToString()] = b;
        }

        var merges = new JsonArray();
        foreach (var (left, right) in new[] { ("a", "a"), ("aa", "aa"), ("t", "h"), ("th", "e"), ("Ġ", "the"), ("a", "b") })
        {
            vocabulary[left + right] = vocabulary.Count;
            merges.Add(new JsonArray(left, right));
        }

        var added = new JsonArray();
        foreach (var (content, special, strip) in new[] { ("<|end|>", true, false), ("<call>", false, false), ("<mask>", true, true) })
        {
            added.Add(new JsonObject { ["id"] = vocabulary.Count + added.Count, ["content"] = content, ["special"] = special, ["lstrip"] = strip, ["rstrip"] = false, ["single_word"] = false, ["normalized"] = false });
        }

        return new JsonObject
        {
            ["added_tokens"] = added,
            ["normalizer"] = normalizer is null ? null : JsonNode.Parse(normalizer),
            ["pre_tokenizer"] = JsonNode.Parse(preTokenizer ?? ByteLevel),
            ["post_processor"] = JsonNode.Parse("""{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<|end|>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"special_tokens":{"<|end|>":{"id":"<|end|>","ids":[262],"tokens":["<|end|>"]}}}"""),
            ["decoder"] = JsonNode.Parse(ByteLevel),
            ["model"] = new JsonObject { ["type"] = "BPE", ["dropout"] = null, ["unk_token"] = null, ["vocab"] = vocabulary, ["merges"] = merges },
        }.ToJsonString(new JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }

    public static string Split(string regex) =>
        $$"""{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":{{JsonSerializer.Serialize(regex)}}},"behavior":"Isolated","invert":false},{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]}""";
}
