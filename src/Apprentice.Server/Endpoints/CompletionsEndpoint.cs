using Apprentice.Server.Contracts;
using Microsoft.AspNetCore.Http;

namespace Apprentice.Server.Endpoints;

/// <summary><c>POST /v1/completions</c>: texts gone on with, without a chat template.</summary>
internal sealed class CompletionsEndpoint(ServedModels models, RequestTurns turns, ServerOptions options)
{
    public Task Answer(HttpContext http) => turns.Take(http, async cancellation =>
    {
        var request = CompletionRequest.Read(await RequestBody.Read(http, cancellation));
        var model = models.Find(request.Model);
        var prompts = request.Prompts.Select(model.TextPrompt).ToArray();
        foreach (var prompt in prompts)
        {
            model.Require(request.Sampling.Sampling, prompt, options.MaxPromptTokens, "prompt");
        }

        var answering = new Answering(model, request.Sampling, prompts);
        await turns.Observe(http, answering, "text_completion", request.Sampling.Stream, request.Prompts, () => Answer(http, request, answering, cancellation));
    });

    private static async Task<string> Answer(HttpContext http, CompletionRequest request, Answering answering, CancellationToken cancellation)
    {
        var (id, created) = ($"cmpl-{Guid.NewGuid():N}", DateTimeOffset.UtcNow.ToUnixTimeSeconds());
        var events = request.Sampling.Stream ? new EventStream(http.Response) : null;
        var answers = Enumerable.Range(0, answering.Choices).Select(i => new TextAnswer(answering.Model, request, i)).ToArray();
        if (request.MaxTokens == 0)
        {
            foreach (var answer in answers)
            {
                await Show(answer.Empty());
            }
        }
        else
        {
            await foreach (var (choice, piece) in answering.Pieces(cancellation))
            {
                await Show(answers[choice].Add(piece));
            }
        }

        if (events is null)
        {
            await ApiJson.Write(http.Response, new TextCompletion(id, created, request.Model, [.. answers.Select(a => a.Whole())], answering.Usage), cancellation);
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

        Task Show(TextChoice? piece) => events is null || piece is null ? Task.CompletedTask : Send([piece], null);

        Task Send(TextChoice[] choices, Usage? usage) => request.Sampling.IncludeUsage
            ? events!.Send(new TextCompletion(id, created, request.Model, choices, usage), cancellation)
            : events!.Send(new TextCompletionChunk(id, created, request.Model, choices), cancellation);
    }
}
