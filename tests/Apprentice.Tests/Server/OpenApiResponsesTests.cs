using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;

namespace Apprentice.Tests.Server;

/// <summary>Whatever is asked, the answer is one that OpenAI's description of its API knows.</summary>
public sealed class OpenApiResponsesTests
{
    private const int Requests = 500;

    [SkippableFact]
    public async Task Five_hundred_requests_are_answered_as_the_description_says()
    {
        var description = OpenApiDescription.Require();
        var validator = new OpenApiValidator(description);
        await using var server = await TestServer.Start();
        var requests = new GeneratedRequests(description, "m").Make(Requests).ToList();
        Assert.Equal(Requests, requests.Count);
        var wrong = new ConcurrentBag<string>();
        var right = 0;
        await Parallel.ForEachAsync(requests, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (request, cancellation) =>
        {
            using var message = new HttpRequestMessage(new HttpMethod(request.Method), request.Path);
            message.Content = request.Body is null ? null : new StringContent(request.Body.ToJsonString(), Encoding.UTF8, "application/json");
            using var response = await server.Client.SendAsync(message, cancellation);
            var text = await response.Content.ReadAsStringAsync(cancellation);
            var problem = Problem(request, (int)response.StatusCode, text, validator, description);
            if (problem is not null)
            {
                wrong.Add($"{request.Method} {request.Path} {request.Body?.ToJsonString()}\n  {(int)response.StatusCode} {text}\n  {problem}");
            }

            Interlocked.Add(ref right, (int)response.StatusCode == 200 ? 1 : 0);
        });
        Assert.True(wrong.IsEmpty, $"{wrong.Count} of {Requests}:\n{string.Join('\n', wrong.Take(10))}");
        Assert.InRange(right, Requests / 4, Requests * 3 / 4); // both kinds are there
    }

    private static string? Problem(GeneratedRequest request, int status, string text, OpenApiValidator validator, OpenApiDescription description)
    {
        if (request.Wrong is { } param)
        {
            var error = JsonNode.Parse(text);
            return status is < 400 or > 499 ? "must be refused"
                : First(validator.Errors(error, "ErrorResponse")) is { } bad ? bad
                : param.Length > 0 && ((string?)error!["error"]!["param"])?.StartsWith(param, StringComparison.Ordinal) != true ? $"the error must name {param}"
                : null;
        }

        if (status != 200)
        {
            return "must be answered";
        }

        if (request.Streams)
        {
            return StreamProblem(request, text, validator);
        }

        var path = request.Path["/v1".Length..];
        return First(validator.Errors(JsonNode.Parse(text), description.Response(path.StartsWith("/models/", StringComparison.Ordinal) ? "/models/{model}" : path, request.Method.ToLowerInvariant())));
    }

    private static string? StreamProblem(GeneratedRequest request, string text, OpenApiValidator validator)
    {
        var events = text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        if (events[^1] != "data: [DONE]")
        {
            return "the stream must end in [DONE]";
        }

        foreach (var chunk in events.SkipLast(1).Select(e => JsonNode.Parse(e["data: ".Length..])!))
        {
            if (request.Path == GeneratedRequests.Text)
            {
                // The description has no shape of its own for pieces of a text: they have no reason to end before their last, and null in place of the tokens.
                foreach (var choice in chunk["choices"]!.AsArray().Where(c => c!["finish_reason"] is null))
                {
                    choice!["finish_reason"] = "stop";
                }

                if (chunk.AsObject().TryGetPropertyValue("usage", out var usage) && usage is null)
                {
                    chunk.AsObject().Remove("usage");
                }
            }

            if (First(validator.Errors(chunk, request.Path == GeneratedRequests.Text ? "CreateCompletionResponse" : "CreateChatCompletionStreamResponse")) is { } bad)
            {
                return $"{bad} in {chunk.ToJsonString()}";
            }
        }

        return null;
    }

    private static string? First(IReadOnlyList<string> errors) => errors.Count > 0 ? errors[0] : null;
}
