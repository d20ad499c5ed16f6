using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Apprentice.Tests.Server;

/// <summary>
/// Validates JSON against schemas of an OpenAPI description: the part of JSON schema that OpenAI's uses, and <c>nullable</c> of OpenAPI 3.0,
/// which it uses as well. A keyword that is neither checked here nor known to be a mere note is an error of its own, so that none is
/// passed over. oneOf means exactly one everywhere: no schema that our answers meet is ambiguous.
/// </summary>
internal sealed class OpenApiValidator(OpenApiDescription description)
{
    private static readonly HashSet<string> Notes =
        ["title", "description", "default", "example", "examples", "deprecated", "discriminator", "x-stainless-const", "x-oaiMeta", "x-oaiTypeLabel", "x-oaiExpandable"];

    /// <summary>What is wrong with a document, each with its JSON path; empty: nothing.</summary>
    /// <param name="strict">Whether a field that no schema names is wrong, too, as if it were not open to more everywhere (unevaluatedProperties).</param>
    public IReadOnlyList<string> Errors(JsonNode? document, JsonNode schema, bool strict = true)
    {
        var result = Check(document, schema, "$");
        return [.. result.Errors, .. strict && result.Errors.Count == 0 ? Unnamed(document, "$", result.Named) : []];
    }

    /// <inheritdoc cref="Errors(JsonNode?, JsonNode, bool)"/>
    public IReadOnlyList<string> Errors(JsonNode? document, string schema) => Errors(document, description.Schema(schema));

    private Result Check(JsonNode? node, JsonNode schema, string path)
    {
        var result = new Result();
        if (node is null && schema["nullable"] is { } nullable && (bool)nullable)
        {
            return result;
        }

        foreach (var (keyword, value) in schema.AsObject())
        {
            switch (keyword)
            {
                case "$ref":
                    result.Add(Check(node, description.Resolve((string)value!), path));
                    break;
                case "type":
                    result.Require((value as JsonArray)?.Any(t => IsType(node, (string)t!)) ?? IsType(node, (string)value!), path, $"expected {value!.ToJsonString()}, but got {Shown(node)}");
                    break;
                case "enum":
                    result.Require(value!.AsArray().Any(v => JsonNode.DeepEquals(v, node)), path, $"{Shown(node)} is none of {value.ToJsonString()}");
                    break;
                case "const":
                    result.Require(JsonNode.DeepEquals(value, node), path, $"{Shown(node)} is not {Shown(value)}");
                    break;
                case "allOf":
                    foreach (var part in value!.AsArray())
                    {
                        result.Add(Check(node, part!, path));
                    }

                    break;
                case "anyOf" or "oneOf":
                    CheckChoice(result, node, value!.AsArray(), keyword, path);
                    break;
                case "minimum" or "maximum" when node?.GetValueKind() == JsonValueKind.Number:
                    result.Require(keyword == "minimum" ? Number(node) >= Number(value!) : Number(node) <= Number(value!), path, $"{Shown(node)} is beyond the {keyword} {value}");
                    break;
                case "minLength" or "maxLength" when node?.GetValueKind() == JsonValueKind.String:
                    RequireCount(result, node.GetValue<string>().EnumerateRunes().Count(), keyword, value!, path);
                    break;
                case "minItems" or "maxItems" when node is JsonArray array:
                    RequireCount(result, array.Count, keyword, value!, path);
                    break;
                case "required" when node is JsonObject fields:
                    foreach (var name in value!.AsArray().Select(n => (string)n!))
                    {
                        result.Require(fields.ContainsKey(name), path, $"'{name}' is missing");
                    }

                    break;
                case "format" when (string)value! == "unixtime": // in seconds: milliseconds would be beyond the year 5138
                    result.Require(node is null || (IsType(node, "integer") && Number(node) is >= 0 and < 1e11), path, $"{Shown(node)} is no time in seconds since 1970");
                    break;
                case "format" when (string)value! is "int64" or "date" or "uri":
                case "minimum" or "maximum" or "minLength" or "maxLength" or "minItems" or "maxItems" or "required": // of other types
                case "nullable" or "properties" or "additionalProperties" or "items":
                case var note when Notes.Contains(note):
                    break;
                default:
                    throw new NotSupportedException($"{path}: keyword '{keyword}' of the schema is not checked");
            }
        }

        CheckParts(result, node, schema, path);
        return result;
    }

    private void CheckParts(Result result, JsonNode? node, JsonNode schema, string path)
    {
        if (node is JsonArray array && schema["items"] is { } items)
        {
            for (var i = 0; i < array.Count; i++)
            {
                result.Add(Check(array[i], items, $"{path}[{i}]"));
            }
        }

        if (node is not JsonObject fields)
        {
            return;
        }

        var properties = schema["properties"] as JsonObject;
        var more = schema["additionalProperties"];
        var saysNothing = properties is null && more is null && !schema.AsObject().Any(k => k.Key is "$ref" or "allOf" or "anyOf" or "oneOf");
        foreach (var (name, value) in fields)
        {
            var below = $"{path}.{name}";
            if (properties?[name] is { } property)
            {
                result.Named.Add(below);
                result.Add(Check(value, property, below));
            }
            else if (more is JsonObject schemaOfMore)
            {
                result.Named.Add(below);
                result.Add(Check(value, schemaOfMore, below));
            }
            else if (saysNothing || (more is not null && (bool)more))
            {
                result.Named.UnionWith([below, .. PathsBelow(value, below)]);
            }
            else
            {
                result.Require(more is null, below, "no such field");
            }
        }
    }

    private void CheckChoice(Result result, JsonNode? node, JsonArray choices, string keyword, string path)
    {
        var checkedOnes = choices.Select(c => Check(node, c!, path)).ToList();
        var right = checkedOnes.FindAll(c => c.Errors.Count == 0);
        if (right.Count == 0)
        {
            // What is wrong with the choice that fits best says most.
            var best = checkedOnes.OrderByDescending(c => c.Errors.Max(e => e.IndexOf(':', StringComparison.Ordinal))).First();
            result.Errors.Add($"{path}: none of {keyword} fits; {string.Join("; ", best.Errors)}");
        }

        result.Require(keyword == "anyOf" || right.Count < 2, path, $"{right.Count} of oneOf fit");
        right.ForEach(result.Add);
    }

    private static IEnumerable<string> Unnamed(JsonNode? node, string path, HashSet<string> named) => node switch
    {
        JsonObject fields => fields.SelectMany(f => named.Contains($"{path}.{f.Key}") ? Unnamed(f.Value, $"{path}.{f.Key}", named) : [$"{path}.{f.Key}: the schema names no such field"]),
        JsonArray array => array.SelectMany((item, i) => Unnamed(item, $"{path}[{i}]", named)),
        _ => [],
    };

    private static IEnumerable<string> PathsBelow(JsonNode? node, string path) => node switch
    {
        JsonObject fields => fields.SelectMany(f => PathsBelow(f.Value, $"{path}.{f.Key}").Prepend($"{path}.{f.Key}")),
        JsonArray array => array.SelectMany((item, i) => PathsBelow(item, $"{path}[{i}]")),
        _ => [],
    };

    private static bool IsType(JsonNode? node, string type) => (node?.GetValueKind() ?? JsonValueKind.Null) switch
    {
        JsonValueKind.Null => type == "null",
        JsonValueKind.String => type == "string",
        JsonValueKind.True or JsonValueKind.False => type == "boolean",
        JsonValueKind.Array => type == "array",
        JsonValueKind.Object => type == "object",
        _ => type == "number" || (type == "integer" && Math.Floor(Number(node!)) == Number(node!)), // 3.0 is an integer
    };

    private static double Number(JsonNode node) => double.Parse(node.ToJsonString(), CultureInfo.InvariantCulture);

    private static void RequireCount(Result result, int count, string keyword, JsonNode limit, string path) =>
        result.Require(keyword.StartsWith("min", StringComparison.Ordinal) ? count >= (int)limit : count <= (int)limit, path, $"length {count} is beyond {keyword} {limit}");

    private static string Shown(JsonNode? node) => (node?.ToJsonString() ?? "null") is var text && text.Length > 80 ? text[..80] + "…" : text;

    /// <summary>What is wrong, and the paths of the fields that schemas which fit have named.</summary>
    private sealed class Result
    {
        public List<string> Errors { get; } = [];

        public HashSet<string> Named { get; } = [];

        public void Require(bool right, string path, string otherwise)
        {
            if (!right)
            {
                Errors.Add($"{path}: {otherwise}");
            }
        }

        public void Add(Result other)
        {
            Errors.AddRange(other.Errors);
            Named.UnionWith(other.Named);
        }
    }
}
