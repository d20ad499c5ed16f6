using System.Text.Json;
using System.Text.RegularExpressions;
using Apprentice.Data.Datasets;
using Apprentice.Data.Metrics;

namespace Apprentice.Cli.Quickstart;

/// <summary>
/// The job of quickstart: the support desk of an invented shop answers a message with strict JSON, an intent, a priority
/// and a reply. The examples are made by <c>recipes/quickstart/generate.cs</c>.
/// </summary>
internal static partial class SupportDesk
{
    public const string Title = "Quickstart: the support desk of a shop, message to intent, priority and reply";

    /// <summary>What somebody would write who wanted the same from the base model without training.</summary>
    public const string Prompt = """
        You work at the support desk of a shop. Answer each message with one JSON object and nothing else: {"intent": "...", "priority": "...", "reply": "..."}
        intent is one of: order_status, cancel_order, change_address, return_item, refund_status, damaged_item, wrong_item, payment_problem, account_access, stock_question.
        priority is high for danger, for what is needed today or tomorrow, and for money taken wrongly; low when the customer is in no hurry; else normal.
        reply is a short polite answer that names the order, customer or item number.
        Example: {"intent": "cancel_order", "priority": "low", "reply": "We are cancelling order 5120 for you. You will hear from us this week."}
        """;

    private static readonly string[] Fields = ["intent", "priority", "reply"];

    public static string TrainingFile => FileOf("train");

    public static string ValidationFile => FileOf("validation");

    public static string TestFile => FileOf("test");

    public static IReadOnlyList<Metric> Metrics { get; } =
    [
        new("valid_json", "the answer is one JSON object with the texts intent, priority and reply, and nothing else", true, (answer, _) => Read(answer) is null ? 0 : 1),
        new("intent", "the intent is the right one of ten", true, (answer, expected) => Same(answer, expected, "intent")),
        new("priority", "the priority is the right one of three", true, (answer, expected) => Same(answer, expected, "priority")),
        new("number", "the reply names the order, customer or item number that the message gave", true, SameNumber),
        new("all_correct", "all of these", true, (answer, expected) => Same(answer, expected, "intent") * Same(answer, expected, "priority") * SameNumber(answer, expected)),
    ];

    public static IReadOnlyList<Example> Examples(string file) => DatasetReader.Read(file).Examples;

    private static string FileOf(string set) => Path.Combine(AppContext.BaseDirectory, "Quickstart", set + ".jsonl");

    private static double Same(string answer, string expected, string field) =>
        Read(answer) is { } fields && fields[field] == Read(expected)![field] ? 1 : 0;

    private static double SameNumber(string answer, string expected) =>
        Read(answer) is { } fields && Numbers(Read(expected)!["reply"]).IsSubsetOf(Numbers(fields["reply"])) ? 1 : 0;

    private static HashSet<string> Numbers(string text) => [.. Digits().Matches(text).Select(m => m.Value)];

    /// <summary>The three fields, or null where the answer is anything else.</summary>
    private static Dictionary<string, string>? Read(string answer)
    {
        try
        {
            using var document = JsonDocument.Parse(answer);
            var root = document.RootElement;
            return root.ValueKind == JsonValueKind.Object
                && root.EnumerateObject().Select(f => f.Name).Order(StringComparer.Ordinal).SequenceEqual(Fields)
                && root.EnumerateObject().All(f => f.Value.ValueKind == JsonValueKind.String)
                ? root.EnumerateObject().ToDictionary(f => f.Name, f => f.Value.GetString()!)
                : null;
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            return null; // the latter two say that a text is not valid Unicode
        }
    }

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Digits();
}
