using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Apprentice.Models.Generation;

namespace Apprentice.Server.Contracts;

/// <summary>What chat completions and completions have in common: how tokens are chosen and how the answer is to come.</summary>
/// <param name="Sampling">With the first choice's seed.</param>
/// <param name="Choices">Answers to each prompt.</param>
/// <param name="Stream">Whether the answer comes piece by piece.</param>
/// <param name="IncludeUsage">Whether a stream ends in the number of tokens.</param>
internal sealed record SamplingRequest(SamplingOptions Sampling, int Choices, bool Stream, bool IncludeUsage)
{
    private const int MaximumChoices = 128, MaximumStops = 4, LongestStop = 256, MaximumBiases = 1024, LongestUser = 512;

    /// <exception cref="ApiException">400: a field is not as it should be.</exception>
    public static SamplingRequest Read(RequestFields fields)
    {
        var stream = fields.Flag("stream") ?? false;
        var request = new SamplingRequest(
            new SamplingOptions
            {
                Temperature = fields.Number("temperature", 0, 2) ?? 1,
                TopP = Math.Max(fields.Number("top_p", 0, 1) ?? 1, 1e-9), // 0 leaves the most probable token
                FrequencyPenalty = fields.Number("frequency_penalty", -2, 2) ?? 0,
                PresencePenalty = fields.Number("presence_penalty", -2, 2) ?? 0,
                Seed = fields.Integer("seed", long.MinValue, long.MaxValue) ?? RandomNumberGenerator.GetInt32(int.MaxValue),
                Stop = Stops(fields),
                LogitBias = Bias(fields),
            },
            (int)(fields.Integer("n", 1, MaximumChoices) ?? 1),
            stream,
            ReadUsage(fields, stream));
        fields.Text("user", LongestUser);
        return request;
    }

    /// <summary>Each choice has a seed of its own, or all would be alike.</summary>
    public SamplingOptions Of(int choice) => Sampling with { Seed = unchecked(Sampling.Seed + (choice * (long)0x9E3779B97F4A7C15)) };

    private static bool ReadUsage(RequestFields fields, bool stream)
    {
        if (fields.Object("stream_options") is not { } options)
        {
            return false;
        }

        if (!stream)
        {
            throw ApiException.InvalidValue("stream_options", "it is only allowed when 'stream' is true.");
        }

        var usage = options.Flag("include_usage") ?? false;
        options.Refuse("include_obfuscation", "is not supported here; leave it out or set it to false.", "false");
        options.RequireNoOthers();
        return usage;
    }

    private static string[] Stops(RequestFields fields)
    {
        var stops = fields.Any("stop") switch
        {
            null => [],
            JsonArray => fields.Array("stop", MaximumStops)!.Select((stop, i) => Stop(stop, $"stop[{i}]")),
            var one => [Stop(one, "stop")],
        };
        return [.. stops];

        string Stop(JsonNode? node, string name) => node?.GetValueKind() != JsonValueKind.String ? throw RequestFields.WrongTypeAt(name, name == "stop" ? "a string or an array of strings" : "a string", node)
            : node.GetValue<string>() is { Length: > 0 and <= LongestStop } text ? text
            : throw ApiException.InvalidValue(name, $"expected a string of 1 to {LongestStop} characters.");
    }

    private static Dictionary<int, double> Bias(RequestFields fields)
    {
        var biases = new Dictionary<int, double>();
        if (fields.Any("logit_bias") is not { } node)
        {
            return biases;
        }

        var given = node as JsonObject ?? throw fields.WrongType("logit_bias", "an object", node);
        if (given.Count > MaximumBiases)
        {
            throw ApiException.InvalidValue("logit_bias", $"expected at most {MaximumBiases} tokens, but got {given.Count}.");
        }

        var values = new RequestFields(given, "logit_bias");
        foreach (var (token, _) in given)
        {
            biases[int.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id
                : throw ApiException.InvalidValue("logit_bias", $"'{ApiException.Shown(token)}' is no token id; keys are whole numbers.")] = values.Number(token, -100, 100)
                ?? throw RequestFields.WrongTypeAt($"logit_bias.{token}", "a number", null);
        }

        return biases;
    }
}
