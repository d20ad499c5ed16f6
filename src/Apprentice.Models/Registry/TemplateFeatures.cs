using System.Text.Json.Nodes;
using Apprentice.Data;

namespace Apprentice.Models.Registry;

/// <summary>What a chat template makes use of, found out by giving it small conversations.</summary>
/// <param name="System">Writes a system message.</param>
/// <param name="Tools">Writes the tools offered.</param>
/// <param name="Reasoning">Knows of a model's reasoning apart from its answer.</param>
/// <param name="Untrainable">Why nothing can be trained through it, or null where it lets it be told what the assistant wrote.</param>
public sealed record TemplateFeatures(bool System, bool Tools, bool Reasoning, string? Untrainable)
{
    private const string Probe = "probe-7d1";

    /// <summary>Null where the model has no template.</summary>
    public static TemplateFeatures? Of(ModelText text) => text.Template is not { Source: var source } ? null : new TemplateFeatures(
        Writes(text, [LoadedModel.Message("system", Probe), LoadedModel.Message("user", "Hi")], null),
        Writes(text, [LoadedModel.Message("user", "Hi")], [Tool()]),
        source.Contains("reasoning_content", StringComparison.Ordinal) || source.Contains("enable_thinking", StringComparison.Ordinal),
        WhyUntrainable(text));

    private static bool Writes(ModelText text, JsonObject[] messages, JsonArray? tools)
    {
        try
        {
            return text.Render(messages, tools, addGenerationPrompt: true).Text.Contains(Probe, StringComparison.Ordinal);
        }
        catch (InputException)
        {
            return false; // it refuses them
        }
    }

    private static string? WhyUntrainable(ModelText text)
    {
        try
        {
            return text.Render([LoadedModel.Message("user", "Hi"), LoadedModel.Message("assistant", "Hello")]).Assistant.Count > 0 ? null : "it does not write what the assistant said";
        }
        catch (InputException e)
        {
            return e.Message;
        }
    }

    private static JsonObject Tool() => new()
    {
        ["type"] = "function",
        ["function"] = new JsonObject
        {
            ["name"] = Probe, ["description"] = Probe, ["parameters"] = new JsonObject { ["type"] = "object", ["properties"] = new JsonObject() },
        },
    };
}
