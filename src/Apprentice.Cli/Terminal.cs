using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spectre.Console;

namespace Apprentice.Cli;

/// <summary>
/// Where a command writes: results go to standard output, everything that is said on the way to standard error. With
/// <c>--json</c> exactly one JSON object goes to standard output.
/// </summary>
internal sealed class Terminal(TextWriter output, TextWriter error, bool json)
{
    private static readonly JsonSerializerOptions JsonOptions = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // text in any language stays readable
        Converters = { new FiniteOrNull(), new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    /// <summary>Whether <c>--json</c> was given.</summary>
    public bool Json { get; } = json;

    public TextWriter Output { get; } = output;

    public TextWriter Error { get; } = error;

    /// <summary>Formatted results on standard output.</summary>
    public IAnsiConsole Results { get; } = Create(output);

    /// <summary>Progress on standard error.</summary>
    public IAnsiConsole Progress { get; } = Create(error);

    /// <summary>Writes the one JSON object.</summary>
    public void WriteJson<T>(T value) => Output.WriteLine(ToJson(value));

    /// <summary>JSON on one line, names in snake_case; numbers that are not finite become null.</summary>
    public static string ToJson<T>(T value) => JsonSerializer.Serialize(value, JsonOptions);

    // On a terminal Spectre finds out what it can do, and heeds NO_COLOR and TERM=dumb. A file or a pipe gets plain text,
    // and has no right edge.
    private static IAnsiConsole Create(TextWriter writer)
    {
        var output = new AnsiConsoleOutput(writer);
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = output,
            Ansi = output.IsTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = output.IsTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = output.IsTerminal ? InteractionSupport.Detect : InteractionSupport.No,
            Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false }, // which believe a build server to be a terminal
        });
        if (!output.IsTerminal)
        {
            console.Profile.Width = 10_000;
        }

        return console;
    }

    private sealed class FiniteOrNull : JsonConverter<double>
    {
        public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDouble();

        public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options)
        {
            if (double.IsFinite(value))
            {
                writer.WriteNumberValue(value);
            }
            else
            {
                writer.WriteNullValue();
            }
        }
    }
}
