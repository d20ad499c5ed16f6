using System.Globalization;
using System.Text.Json.Nodes;
using Apprentice.Tests.Golden;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Apprentice.Tests.Server;

/// <summary>OpenAI's description of its API (OpenAPI 3.1 in YAML), read once for all tests.</summary>
internal sealed class OpenApiDescription
{
    private const string Path = "contracts/openai-openapi.yaml";

    private static readonly Lazy<JsonNode> Read = new(() =>
    {
        var yaml = new YamlStream();

        // Lines of nothing but spaces, deeper than the text below them, stand at the beginning of some texts. YAML does not allow that.
        var lines = File.ReadLines(GoldenData.RequireShared(Path)).Select(line => string.IsNullOrWhiteSpace(line) ? "" : line);
        yaml.Load(new StringReader(string.Join('\n', lines)));
        return ToJson(yaml.Documents[0].RootNode)!;
    });

    private readonly JsonNode _root;

    public OpenApiDescription(JsonNode root) => _root = root;

    /// <summary>OpenAI's; the calling test is skipped, with the reason, where it is not there.</summary>
    public static OpenApiDescription Require()
    {
        GoldenData.RequireShared(Path);
        return new OpenApiDescription(Read.Value);
    }

    /// <summary>A schema by its name.</summary>
    public JsonNode Schema(string name) => _root["components"]!["schemas"]![name] ?? throw new ArgumentException($"the description has no schema {name}", nameof(name));

    /// <summary>Where a <c>$ref</c> points to, within the description.</summary>
    public JsonNode Resolve(string reference)
    {
        var found = _root;
        foreach (var name in reference.Split('/').Skip(1))
        {
            found = found?[name.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal)];
        }

        return reference.StartsWith("#/", StringComparison.Ordinal) && found is not null ? found : throw new NotSupportedException($"the description has no {reference}");
    }

    /// <summary>What an answer with status 200 looks like.</summary>
    /// <param name="path">As the description writes it, such as <c>/models/{model}</c>.</param>
    /// <param name="method">In lower case.</param>
    public JsonNode Response(string path, string method, string contentType = "application/json") =>
        _root["paths"]![path]![method]!["responses"]!["200"]!["content"]![contentType]!["schema"]!;

    /// <summary>The fields of an object, those of all its parts (allOf) together; a later one of the same name counts.</summary>
    public Dictionary<string, JsonNode> Properties(JsonNode schema)
    {
        var properties = new Dictionary<string, JsonNode>();
        if (schema["$ref"] is { } reference)
        {
            schema = Resolve((string)reference!);
        }

        foreach (var (name, property) in (schema["allOf"]?.AsArray() ?? []).SelectMany(part => Properties(part!)).Concat((schema["properties"]?.AsObject() ?? [])!))
        {
            properties[name] = property!;
        }

        return properties;
    }

    // YAML's core schema: only plain scalars are anything but text.
    private static JsonNode? ToJson(YamlNode node) => node switch
    {
        YamlMappingNode map => new JsonObject(map.Children.Select(c => KeyValuePair.Create(((YamlScalarNode)c.Key).Value!, ToJson(c.Value)))),
        YamlSequenceNode sequence => new JsonArray([.. sequence.Children.Select(ToJson)]),
        YamlScalarNode { Style: not ScalarStyle.Plain } scalar => scalar.Value,
        YamlScalarNode { Value: null or "" or "~" or "null" } => null,
        YamlScalarNode { Value: "true" or "false" } scalar => scalar.Value == "true",
        YamlScalarNode scalar when long.TryParse(scalar.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) => whole,
        YamlScalarNode scalar when char.IsAsciiDigit(scalar.Value![^1]) && double.TryParse(scalar.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => number,
        YamlScalarNode scalar => scalar.Value,
        _ => throw new NotSupportedException($"YAML node {node.GetType()}"),
    };
}
