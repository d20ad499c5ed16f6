using Apprentice.Server.Contracts;
using Microsoft.AspNetCore.Http;

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
        await turns.Observe(http, answering, "chat", request.Sampling.Stream, request.Messages, () => Answer(http, request, answering, cancellation));
    });

    private static async Task<string> Answer(HttpContext http, ChatRequest request, Answering answering, CancellationToken cancellation)
    {
        var (id, created) = ($"chatcmpl-{Guid.NewGuid():N}", DateTimeOffset.UtcNow.ToUnixTimeSeconds());
        var events = request.Sampling.Stream ? new EventStream(http.Response) : null;
        var answers = Enumerable.Range(0, answering.Choices).Select(_ => new ChatAnswer(answering.Model, request)).ToArray();
        await foreach (var (choice, piece) in answering.Pieces(cancellation))
        {
            if (events is null)
            {
                answers[choice].Add(piece);
                continue;
            }

            foreach (var chunk in answers[choice].Chunks(choice, piece))
            {
                await Send([chunk], null);
            }
        }

        if (events is null)
        {
            await ApiJson.Write(http.Response, new ChatCompletion(id, created, request.Model, [.. answers.Select((a, i) => a.Choice(i))], answering.Usage), cancellation);
        }
        else
        {
            if (request.Sampling.IncludeUsage)
            {
                await Send([], answering.Usage);
            }

            await events.End(cancellation);
        }

        return string.Join("\n", answers.Select(a => a.Text));

        Task Send(ChatChunkChoice[] choices, Usage? usage) => request.Sampling.IncludeUsage
            ? events!.Send(new ChatCompletionUsageChunk(id, created, request.Model, choices, usage), cancellation)
            : events!.Send(new ChatCompletionChunk(id, created, request.Model, choices), cancellation);
    }
}
