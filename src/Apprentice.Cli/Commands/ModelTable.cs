using Apprentice.Data;
using Apprentice.Models.Registry;
using Apprentice.Training;
using Spectre.Console;

namespace Apprentice.Cli.Commands;

/// <summary>A model's description as people read it.</summary>
internal static class ModelTable
{
    private const int LongestText = 200;

    public static void Write(
        Terminal terminal, string path, IReadOnlyList<RegisteredModel> registered, ModelDescription model, TemplateFeatures? template, AdapterFacts? adapter, RunFacts? run, MemoryForecast? memory, InputException? problem)
    {
        var grid = new Grid().AddColumns(2);
        void Row(string name, string value) => grid.AddRow($"[grey]{name}[/]", Markup.Escape(Plain(value)));

        Row("model", path);
        foreach (var known in registered)
        {
            Row("registered", $"{(known.Name == path ? known.Path : $"as {known.Name}")}, {Format.Date(known.Created)}{(known.Owned ? ", downloaded: its files go with the name" : "")}");
            if (known.Source is { } source && source != known.Path)
            {
                Row("source", source);
            }

            if (known.Sha256 is { } hash)
            {
                Row("sha-256", hash);
            }
        }

        if (run is not null)
        {
            Row("run", Format.Text($"{run.Status.ToString().ToLowerInvariant()} after {run.Steps} steps; {run.Method} on {run.Base} with {string.Join(", ", run.Data)}"));
        }

        if (adapter is not null)
        {
            Row("adapter", Format.Text($"{(adapter.Dora ? "DoRA" : "LoRA")}{(adapter.Rslora ? " (rank-stabilised)" : "")}, rank {adapter.Rank}, alpha {adapter.Alpha:0.###}{(adapter.Dropout > 0 ? Format.Text($", dropout {adapter.Dropout:0.###}") : "")}"));
            Row("", Format.Text($"{Format.Count(adapter.Parameters)} parameters in {adapter.Modules} layers, {Format.Bytes(adapter.Bytes)}: {string.Join(", ", adapter.Targets)}"));
        }

        Row(adapter is null ? "kind" : "base", $"{(model.Kind == "gguf" ? "GGUF file" : "Hugging Face folder")}{(model.Name is { } name ? $", {name}" : "")}");
        Row("architecture", model.Architecture ?? "not said");
        Row("parameters", Format.Text($"{Format.Count(model.Parameters)}, {Format.Bytes(model.Bytes)}"));
        foreach (var (type, i) in model.Types.Select((t, i) => (t, i)))
        {
            Row(i == 0 ? "stored as" : "", Format.Text($"{type.Type}: {Format.Count(type.Parameters)} parameters in {type.Tensors} {(type.Tensors == 1 ? "tensor" : "tensors")}, {Format.Bytes(type.Bytes)}"));
        }

        Row("context", model.ContextLength is { } context ? $"{Format.Count(context)} tokens" : "not said");
        Row("vocabulary", model.Vocabulary is { } tokens ? $"{Format.Count(tokens)} tokens" : "not said");
        if (memory is not null)
        {
            Row("chat template", template is null ? "none: --raw leaves it out" : Features(template));
        }

        Row("licence", model.License ?? "not said");
        if (memory is not null)
        {
            Row("memory", Format.Text($"LoRA of rank {memory.Rank}: {Format.Bytes(memory.Lora)}; with recomputation {Format.Bytes(memory.LoraRecompute)} ({Format.Count(memory.Tokens)} tokens at once)"));
            Row("", memory is { Full: { } full, FullRecompute: { } again } ? $"training all of it: {Format.Bytes(full)}; with recomputation {Format.Bytes(again)}" : "training all of it: not from quantised weights");
            Row("", Format.Text($"answering: {Format.Bytes(memory.Serving)} with a conversation that fills the context, {Format.Bytes(memory.CacheBytesPerToken * 1000)} for 1,000 tokens of it"));
            Row("", Format.Text($"serving: {string.Join(", ", memory.ServingParallel.Select(s => $"{Format.Bytes(s.Bytes)} with {s.Conversations}"))} of them at once; a server takes at most a quarter of the memory for them, and the rest wait"));
        }

        terminal.Results.Write(grid);
        if (problem is not null)
        {
            terminal.Results.MarkupLine($"\n[yellow]cannot be used:[/] {Markup.Escape(Plain(ErrorReport.Of(problem).Said(), LongestText + (problem.File?.Length ?? 0)))}{(problem.Hint is { } hint ? $"\n[grey]hint: {Markup.Escape(Plain(hint))}[/]" : "")}");
        }
    }

    private static string Features(TemplateFeatures template)
    {
        var has = new[] { (template.System, "system message"), (template.Tools, "tools"), (template.Reasoning, "reasoning") }.Where(f => f.Item1).Select(f => f.Item2).ToArray();
        return $"yes{(has.Length > 0 ? $": {string.Join(", ", has)}" : "")}{(template.Untrainable is { } why ? $"; cannot be trained through: {why}" : "")}";
    }

    /// <summary>What strangers' files say may be long, or move the cursor.</summary>
    public static string Plain(string text, int longest = LongestText) =>
        string.Concat((text.Length > longest ? text[..longest] + "…" : text).Select(c => char.IsControl(c) ? ' ' : c));
}
