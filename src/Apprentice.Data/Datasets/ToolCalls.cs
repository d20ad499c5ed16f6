using System.Text;
using System.Text.Json.Nodes;

namespace Apprentice.Data.Datasets;

/// <summary>
/// Tool calls as chat templates expect them: <c>arguments</c> an object. OpenAI's wire format has them as a string of JSON,
/// which a template would print as a quoted string.
/// </summary>
internal static class ToolCalls
{
    private const int MaximumLength = 1 << 20;

    public static void Normalise(DatasetRecord record, JsonArray calls, string field)
    {
        if (calls.Count == 0)
        {
            throw record.Error("wrong_type", $"field '{field}' is empty; leave it out or name a call");
        }

        for (var i = 0; i < calls.Count; i++)
        {
            var call = record.AsObject(calls[i], $"{field}[{i}]");
            var path = $"{field}[{i}].";
            var function = call["function"] is { } inner ? record.AsObject(inner, path + "function") : call;
            if (!ReferenceEquals(function, call))
            {
                path += "function.";
            }

            record.RequireString(function, "name", path);
            if (function["arguments"] is JsonValue text)
            {
                function["arguments"] = record.AsObject(Parse(record, record.AsString(text, path + "arguments"), path + "arguments"), path + "arguments");
            }
        }
    }

    /// <summary>A value that is a string of JSON.</summary>
    public static JsonNode? Parse(DatasetRecord record, string json, string field)
    {
        var problem = json.Length > MaximumLength ? new JsonProblem("too_large", "it is longer than 1 MB", 0) : null;
        var node = problem is null ? StrictJson.Parse(Encoding.UTF8.GetBytes(json), out problem) : null;
        return problem is null ? node : throw record.Error(problem.Code, $"field '{field}' must be a string of JSON: {problem.Message}");
    }
}
