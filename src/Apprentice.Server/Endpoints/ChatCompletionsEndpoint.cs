using System.Text;
using System.Text.Json;
using Apprentice.Models.Generation;
using Apprentice.Server.Contracts;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;

namespace Apprentice.Server.Endpoints;

/// <summary><c>POST /v1/chat/completions</c>: the answer of the assistant to a conversation.</summary>
internal sealed class ChatCompletionsEndpoint(ServedModels models, RequestTurns turns, ServerOptions options)
{
    public Task Answer(HttpContext http) => turns.Take(http, async cancellation =>
    {
        var request = ChatRequest.Read(await RequestBody.Read(http, cancellation));
        var model = models.Find(request.Model);
        var prompt = model.ChatPrompt(request.Messages, request.Tools);
        model.Require(request.Sampling.Sampling, prompt, options.MaxPromptTokens, "messages");
        var answering = new Answering(model, request.Sampling, [prompt]);
        await turns.Observe(http, answering, "chat", request.Sampling.Stream, request.Messages, () => request.Sampling.Stream
            ? Stream(http, request, answering, cancellation)
            : Whole(http, request, answering, cancellation));
    });

    private static async Task<string> Whole(HttpContext http, ChatRequest request, Answering answering, CancellationToken cancellation)
    {
        var (id, created) = Identity();
        var answers = Enumerable.Range(0, answering.Choices).Select(_ => new ChatAnswer(answering.Model, request)).ToArray();
        await foreach (var (choice, piece) in answering.Pieces(cancellation))
        {
            answers[choice].Add(piece);
        }

        var body = new ChatCompletion(id, created, request.Model, [.. answers.Select((a, i) => a.Choice(i))], answering.Usage);
        await http.Response.WriteAsJsonAsync(body, ApiJson.Options, ApiJson.ContentType, cancellation);
        return string.Join("\n", answers.Select(a => a.Text));
    }

    private static async Task<string> Stream(HttpContext http, ChatRequest request, Answering answering, CancellationToken cancellation)
    {
        var (id, created) = Identity();
        var events = new EventStream(http.Response);
        var answers = Enumerable.Range(0, answering.Choices).Select(_ => new ChatAnswer(answering.Model, request)).ToArray();
        await foreach (var (choice, piece) in answering.Pieces(cancellation))
        {
            foreach (var chunk in answers[choice].Chunks(choice, piece))
            {
                await Send([chunk], null);
            }
        }

        if (request.Sampling.IncludeUsage)
        {
            await Send([], answering.Usage);
        }

        await events.End(cancellation);
        return string.Join("\n", answers.Select(a => a.Text));

        Task Send(ChatChunkChoice[] choices, Usage? usage) => request.Sampling.IncludeUsage
            ? events.Send(new ChatCompletionUsageChunk(id, created, request.Model, choices, usage), cancellation)
            : events.Send(new ChatCompletionChunk(id, created, request.Model, choices), cancellation);
    }

    private static (string Id, long Created) Identity() => ($"chatcmpl-{Guid.NewGuid():N}", DateTimeOffset.UtcNow.ToUnixTimeSeconds());
}
