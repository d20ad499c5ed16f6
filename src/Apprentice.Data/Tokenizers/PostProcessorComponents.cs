namespace Apprentice.Data.Tokenizers;

/// <summary>Reads the post-processor of a tokenizer.json. An unknown type is refused by name.</summary>
internal static class PostProcessorComponents
{
    public static IEnumerable<PostProcessor> Read(JsonField config)
    {
        switch (config.Type)
        {
            case "Sequence":
                return config["processors"].Items().SelectMany(Read);
            case "ByteLevel":
                return Trim(config);
            case "RobertaProcessing":
                return Trim(config).Append(Roberta(SpecialId(config["cls"]), SpecialId(config["sep"])));
            case "BertProcessing":
                return [Bert(SpecialId(config["cls"]), SpecialId(config["sep"]))];
            case "TemplateProcessing":
                return [Template(config)];
            default:
                throw config.Unsupported($"the post-processor {config.Type}");
        }
    }

    private static IEnumerable<PostProcessor> Trim(JsonField config) =>
        config["trim_offsets"].Bool(true) ? [new PostProcessor.TrimOffsets(config["add_prefix_space"].Bool(true))] : [];

    private static int SpecialId(JsonField pair) => pair.Items().Take(2).Last().Int(Tokenizer.MaxVocabulary);

    private static PostProcessor.Template Bert(int cls, int sep) => new(
        [new([cls], null, 0), new([], 0, 0), new([sep], null, 0)],
        [new([cls], null, 0), new([], 0, 0), new([sep], null, 0), new([], 1, 1), new([sep], null, 1)]);

    // All of type 0, and the separator twice between the texts.
    private static PostProcessor.Template Roberta(int cls, int sep) => new(
        [new([cls], null, 0), new([], 0, 0), new([sep], null, 0)],
        [new([cls], null, 0), new([], 0, 0), new([sep, sep], null, 0), new([], 1, 0), new([sep], null, 0)]);

    private static PostProcessor.Template Template(JsonField config)
    {
        var single = Parts(config, config["single"], texts: 1);
        return new PostProcessor.Template(
            single,
            config.TryField("pair", out var pair) ? Parts(config, pair.Value, texts: 2) : [.. single, new TemplatePart([], 1, 1)]);
    }

    private static TemplatePart[] Parts(JsonField config, JsonField template, int texts)
    {
        var parts = new List<TemplatePart>();
        foreach (var piece in template.Items())
        {
            if (piece.TryField("SpecialToken", out var special))
            {
                var name = special.Value["id"].Text();
                parts.Add(new TemplatePart([.. config["special_tokens"][name]["ids"].Items().Select(i => i.Int(Tokenizer.MaxVocabulary))], null, Type(special.Value)));
                continue;
            }

            var text = piece["Sequence"]["id"].Text() switch { "A" => 0, "B" => 1, _ => texts };
            if (text >= texts || parts.Exists(p => p.Text == text))
            {
                throw piece.Wrong(texts == 1 ? "the sequence A once and special tokens around it" : "the sequences A and B once each and special tokens around them");
            }

            parts.Add(new TemplatePart([], text, Type(piece["Sequence"])));
        }

        return parts.Count(p => p.Text is not null) == texts ? [.. parts] : throw template.Wrong(texts == 1 ? "a template with the sequence A" : "a template with the sequences A and B");

        static int Type(JsonField piece) => piece.TryField("type_id", out var type) ? type.Value.Int(int.MaxValue) : 0;
    }
}
