using System.Text.Json.Nodes;

namespace Apprentice.Recipes.Base;

/// <summary>One generated conversation.</summary>
/// <param name="System">The system message, or null.</param>
/// <param name="Turns">User and assistant in turns; the assistant is last.</param>
public sealed record Instruction(string? System, params IReadOnlyList<string> Turns)
{
    /// <summary>The fields that the last answer has as a JSON object, in order; null where it is not one.</summary>
    public IReadOnlyList<string>? Fields { get; init; }

    public string Answer => Turns[^1];

    /// <summary>An instruction and the text it is about: in one message, or the instruction as system message.</summary>
    public static Instruction About(Draw draw, string instruction, string text, string answer) => draw.Number(0, 9) switch
    {
        < 4 => new(instruction, text, answer),
        < 8 => new(null, $"{instruction}\n\n{text}", answer),
        8 => new(null, $"{instruction}\n{text}", answer),
        _ => new(null, $"{text}\n\n{instruction}", answer),
    };

    /// <summary><c>{"messages":[{"role","content"}…]}</c></summary>
    public JsonObject ToJson()
    {
        var messages = new JsonArray();
        if (System is not null)
        {
            messages.Add(new JsonObject { ["role"] = "system", ["content"] = System });
        }

        for (var i = 0; i < Turns.Count; i++)
        {
            messages.Add(new JsonObject { ["role"] = i % 2 == 0 ? "user" : "assistant", ["content"] = Turns[i] });
        }

        return new JsonObject { ["messages"] = messages };
    }
}
