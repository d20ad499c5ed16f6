using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Apprentice.Server;

/// <summary>
/// What operators can measure, by OpenTelemetry: names of its semantic conventions for generative AI where there are any. Nothing here
/// holds prompts or answers.
/// </summary>
internal sealed class Telemetry : IDisposable
{
    /// <summary>Of the meter and of the traces.</summary>
    public const string Name = "Apprentice.Server";

    private readonly Meter _meter = new(Name);
    private readonly ActivitySource _source = new(Name);
    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _toFirst;
    private readonly Counter<long> _tokens;
    private readonly Counter<long> _refused;

    public Telemetry(ServedModels models)
    {
        _duration = _meter.CreateHistogram<double>("gen_ai.server.request.duration", "s", "Time of a request from its prompt to the end of its answers.");
        _toFirst = _meter.CreateHistogram<double>("gen_ai.server.time_to_first_token", "s", "Time to the first token.");
        _tokens = _meter.CreateCounter<long>("apprentice.server.tokens", "{token}", "Tokens of prompts (input), of these found in the cache (cached), and generated (output).");
        _refused = _meter.CreateCounter<long>("apprentice.server.refused", "{request}", "Requests answered with an error, by status.");
        _meter.CreateObservableGauge("apprentice.server.sequences", () => models.All.SelectMany(Sequences), "{sequence}", "Answers being generated (active) and waiting for a place (waiting).");
        _meter.CreateObservableGauge(
            "apprentice.server.cache.tokens", () => models.All.Select(m => new Measurement<long>(m.Generator.Statistics.CachedTokens, Model(m))), "{token}", "Tokens whose keys and values are held.");

        static IEnumerable<Measurement<long>> Sequences(ServedModel model)
        {
            var statistics = model.Generator.Statistics;
            yield return new Measurement<long>(statistics.Active, Model(model), new("state", "active"));
            yield return new Measurement<long>(statistics.Waiting, Model(model), new("state", "waiting"));
        }
    }

    /// <summary>Begins the trace of a request.</summary>
    public Activity? Start(string operation, ServedModel model) => _source
        .StartActivity($"{operation} {model.Name}", ActivityKind.Server)
        ?.SetTag("gen_ai.operation.name", operation)
        .SetTag("gen_ai.provider.name", "apprentice")
        .SetTag("gen_ai.request.model", model.Name);

    /// <summary>Counts an answered request, and ends its trace's account.</summary>
    /// <param name="error">Type of what went wrong, or null.</param>
    public void Count(Activity? trace, string operation, Answering answering, TimeSpan elapsed, string? error)
    {
        var tags = new TagList { { "gen_ai.operation.name", operation }, Model(answering.Model) };
        var usage = answering.Usage;
        _tokens.Add(usage.PromptTokens, [.. tags, new("gen_ai.token.type", "input")]);
        _tokens.Add(usage.PromptTokensDetails.CachedTokens, [.. tags, new("gen_ai.token.type", "cached")]);
        _tokens.Add(usage.CompletionTokens, [.. tags, new("gen_ai.token.type", "output")]);
        if (answering.ToFirst is { } first)
        {
            _toFirst.Record(first.TotalSeconds, tags);
        }

        if (error is not null)
        {
            tags.Add("error.type", error);
            trace?.SetStatus(ActivityStatusCode.Error).SetTag("error.type", error);
        }

        _duration.Record(elapsed.TotalSeconds, tags);
        trace?.SetTag("gen_ai.usage.input_tokens", usage.PromptTokens).SetTag("gen_ai.usage.output_tokens", usage.CompletionTokens);
    }

    public void Refused(int status) => _refused.Add(1, new KeyValuePair<string, object?>("http.response.status_code", status));

    public void Dispose()
    {
        _meter.Dispose();
        _source.Dispose();
    }

    private static KeyValuePair<string, object?> Model(ServedModel model) => new("gen_ai.request.model", model.Name);
}
