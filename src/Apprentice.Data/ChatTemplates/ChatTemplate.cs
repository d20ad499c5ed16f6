using System.Text.Json.Nodes;
using Apprentice.Data.ChatTemplates.Jinja;

namespace Apprentice.Data.ChatTemplates;

/// <summary>
/// A model's chat template: a Jinja program that turns messages into the text the model was trained on. Renders as
/// transformers 5.23 does (jinja2 3.1 with trim_blocks and lstrip_blocks, sandboxed, plus <c>generation</c> blocks,
/// <c>raise_exception</c> and <c>strftime_now</c>), and says which characters are the assistant's.
/// </summary>
/// <remarks>
/// Templates come with models from strangers: work, depth and text are limited, and every mistake is an
/// <see cref="InputException"/> with the template's name and line, and the column in its hint. Codes: template_syntax,
/// template_raised (the template refuses the conversation), template_undefined, template_type, template_security,
/// template_limit, and cannot_tell_supervision. Threads may share one template.
/// </remarks>
public sealed class ChatTemplate
{
    private const int MaxSource = 1_000_000;
    private readonly IReadOnlyList<Statement> _statements;
    private readonly string _name;

    private ChatTemplate(IReadOnlyList<Statement> statements, string source, string name)
    {
        _statements = statements;
        Source = source;
        _name = name;
    }

    /// <summary>Its text.</summary>
    public string Source { get; }

    /// <summary>Reads a template.</summary>
    /// <param name="source">Its text.</param>
    /// <param name="name">The file or metadata key it came from, for messages.</param>
    /// <exception cref="InputException">It is no valid template.</exception>
    public static ChatTemplate Parse(string source, string name = "chat template")
    {
        ArgumentNullException.ThrowIfNull(source);
        if (source.Length > MaxSource)
        {
            throw new InputException("template_limit", $"The template has {source.Length} characters; no chat template needs more than {MaxSource}.", name);
        }

        try
        {
            return new ChatTemplate(Parser.Parse(source), source, name);
        }
        catch (JinjaException e)
        {
            throw InputErrorOf(e, name);
        }
    }

    /// <summary>
    /// Renders messages (objects with "role", "content" and so on, whose keys keep their order) and says which parts of
    /// the text the assistant wrote.
    /// </summary>
    /// <exception cref="InputException">
    /// The template fails on or refuses these messages, or (cannot_tell_supervision) it cannot be told what the assistant wrote.
    /// </exception>
    public RenderedChat Render(IReadOnlyList<JsonObject> messages, ChatTemplateOptions? options = null)
    {
        options ??= new ChatTemplateOptions();
        if (options.AddGenerationPrompt || options.ContinueFinalMessage)
        {
            return new RenderedChat(RenderText(messages, options), []);
        }

        var text = RenderTraced(messages, options);

        // Telling takes rendering parts of the conversation again, a few times for each message at worst.
        var left = 500_000 + (512L * text.Text.Length);
        var supervision = new Supervision(messages, options, RenderPart, _name);
        return new RenderedChat(text.Text, supervision.Find(text));

        TracedString RenderPart(IReadOnlyList<JsonObject> part, bool addGenerationPrompt)
        {
            var budget = new Budget(left);
            try
            {
                return RenderTraced(part, options with { AddGenerationPrompt = addGenerationPrompt }, budget);
            }
            finally
            {
                left -= budget.Spent;
            }
        }
    }

    /// <summary>Renders messages, without asking which parts the assistant wrote.</summary>
    /// <exception cref="InputException">The template fails on or refuses these messages.</exception>
    public string RenderText(IReadOnlyList<JsonObject> messages, ChatTemplateOptions? options = null)
    {
        options ??= new ChatTemplateOptions();
        return options.ContinueFinalMessage
            ? FinalMessage.RenderUpTo(messages, m => RenderTraced(m, options).Text)
            : RenderTraced(messages, options).Text;
    }

    /// <summary>Renders the template with these variables and no others, not even messages.</summary>
    /// <exception cref="InputException">The template fails on them.</exception>
    public string RenderVariables(IReadOnlyDictionary<string, JsonNode?> variables, TimeProvider? clock = null) =>
        Run(variables.ToDictionary(v => v.Key, v => JsonValues.From(v.Value)), clock ?? TimeProvider.System).Text;

    private TracedString RenderTraced(IReadOnlyList<JsonObject> messages, ChatTemplateOptions options, Budget? budget = null)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var values = messages.Select((m, i) => JsonValues.Message(Reasoning.Spread(m), i + 1)).ToList();
        var variables = new Dictionary<string, object?>
        {
            ["messages"] = new PyList(values),
            ["tools"] = JsonValues.From(options.Tools),
            ["documents"] = null,
            ["add_generation_prompt"] = options.AddGenerationPrompt,
        };
        foreach (var (name, token) in options.SpecialTokens.Where(t => t.Value is not null))
        {
            variables[name] = new TracedString(token!);
        }

        foreach (var (name, value) in options.Variables)
        {
            variables[name] = JsonValues.From(value);
        }

        return Run(variables, options.Clock, budget);
    }

    private TracedString Run(Dictionary<string, object?> variables, TimeProvider clock, Budget? budget = null)
    {
        try
        {
            return Evaluator.Render(_statements, variables, budget ?? new Budget(Budget.For(variables.Values.Sum(JsonValues.Size))), clock.GetLocalNow());
        }
        catch (JinjaException e)
        {
            throw InputErrorOf(e, _name);
        }
    }

    private static InputException InputErrorOf(JinjaException e, string name) => new(
        e.Kind switch
        {
            JinjaError.Raised => "template_raised",
            JinjaError.Syntax => "template_syntax",
            JinjaError.Undefined => "template_undefined",
            JinjaError.Security => "template_security",
            JinjaError.Limit => "template_limit",
            _ => "template_type",
        },
        e.Message,
        name,
        e.Position?.Line,
        e.Position is { } p ? $"at line {p.Line}, column {p.Column} of the template" : null);
}
