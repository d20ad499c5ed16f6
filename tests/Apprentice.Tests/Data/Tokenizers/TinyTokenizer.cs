using System.Text.Json;
using System.Text.Json.Nodes;
using Apprentice.Data.Tokenizers;

namespace Apprentice.Tests.Data.Tokenizers;

/// <summary>A tokenizer.json made on the spot: the bytes, a few merges, some added tokens.</summary>
internal static class TinyTokenizer
{
    public const string ByteLevel = """{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}""";

    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

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
        }.ToJsonString(Relaxed);
    }

    public static string Split(string regex) =>
        $$"""{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":{{JsonSerializer.Serialize(regex)}}},"behavior":"Isolated","invert":false},{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]}""";

    /// <summary>BPE over characters as Llama 2 has it: spaces are ▁, one before the text, bytes for what is missing.</summary>
    public static string ByteFallback()
    {
        var vocabulary = new JsonObject { ["<unk>"] = 0, ["<s>"] = 1 };
        for (var b = 0; b < 256; b++)
        {
            vocabulary[ByteTokens.Name(b)] = vocabulary.Count;
        }

        foreach (var token in new[] { "▁", "t", "h", "e", "th", "the", "▁the" })
        {
            vocabulary[token] = vocabulary.Count;
        }

        return new JsonObject
        {
            ["added_tokens"] = JsonNode.Parse("""[{"id":0,"content":"<unk>","special":true,"normalized":false},{"id":1,"content":"<s>","special":true,"normalized":false}]"""),
            ["normalizer"] = JsonNode.Parse("""{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"String":" "},"content":"▁"}]}"""),
            ["post_processor"] = JsonNode.Parse("""{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"pair":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"B","type_id":1}}],"special_tokens":{"<s>":{"id":"<s>","ids":[1],"tokens":["<s>"]}}}"""),
            ["decoder"] = JsonNode.Parse("""{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]}"""),
            ["model"] = new JsonObject { ["type"] = "BPE", ["unk_token"] = "<unk>", ["fuse_unk"] = true, ["byte_fallback"] = true, ["vocab"] = vocabulary, ["merges"] = JsonNode.Parse("""[["t","h"],["th","e"],["▁","the"]]""") },
        }.ToJsonString(Relaxed);
    }

    /// <summary>Unigram with a charsmap and Metaspace.</summary>
    public static string Unigram() => new JsonObject
    {
        ["normalizer"] = new JsonObject { ["type"] = "Precompiled", ["precompiled_charsmap"] = Convert.ToBase64String(TinySentencePiece.CharsMap()) },
        ["pre_tokenizer"] = JsonNode.Parse("""{"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true}]}"""),
        ["decoder"] = JsonNode.Parse("""{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true}"""),
        ["model"] = JsonNode.Parse("""{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["▁",-2],["a",-3],["▁the",-1.5],["aa",-4.25]],"byte_fallback":false}"""),
    }.ToJsonString(Relaxed);

    /// <summary>WordPiece as BERT has it.</summary>
    public static string WordPiece() => new JsonObject
    {
        ["normalizer"] = JsonNode.Parse("""{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true}"""),
        ["pre_tokenizer"] = JsonNode.Parse("""{"type":"BertPreTokenizer"}"""),
        ["post_processor"] = JsonNode.Parse("""{"type":"BertProcessing","sep":["[SEP]",2],"cls":["[CLS]",1]}"""),
        ["decoder"] = JsonNode.Parse("""{"type":"WordPiece","prefix":"##","cleanup":true}"""),
        ["model"] = JsonNode.Parse("""{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,"vocab":{"[UNK]":0,"[CLS]":1,"[SEP]":2,"the":3,"a":4,"##a":5,"##ab":6,"12":7}}"""),
    }.ToJsonString(Relaxed);
}
