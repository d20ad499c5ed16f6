using Apprentice.Data;
using Apprentice.Models.Generation;

namespace Apprentice.Cli.Chat;

/// <summary>
/// A conversation from its first line to its last: each line is a question, or a word to the program (<see cref="ChatWords"/>).
/// Ctrl-C stops an answer and nothing else.
/// </summary>
/// <param name="session">Where it takes place.</param>
/// <param name="sampling">How answers are chosen; each answer has the next seed.</param>
/// <param name="view">Where it is shown.</param>
internal sealed class ChatLoop(ChatSession session, SamplingOptions sampling, ChatView view)
{
    /// <summary>All answers, in their order.</summary>
    public List<ChatAnswer> Answers { get; } = [];

    /// <param name="read">Gives the next line, or null at the end; is told whether the last thing before was a Ctrl-C.</param>
    /// <exception cref="InputException">A line cannot be answered, and nobody sits there who could mend it.</exception>
    public async Task RunAsync(Func<bool, string?> read, CancellationToken cancel)
    {
        var words = new ChatWords(session, view);
        var interrupted = false;
        while (await Task.Run(() => read(interrupted), CancellationToken.None).WaitAsync(cancel) is { } line)
        {
            interrupted = false;
            if (string.IsNullOrWhiteSpace(line))
            {
                continue;
            }

            try
            {
                if (!words.Obey(line, out var end))
                {
                    interrupted = Answer(line, cancel);
                }
                else if (end)
                {
                    return;
                }
            }
            catch (InputException e) when (view.IsLive)
            {
                view.Fail(e);
            }

            cancel.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Whether it was stopped.</summary>
    private bool Answer(string question, CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using var mine = Interrupt.Divert(stop.Cancel);
        var answer = session.Answer(question, sampling with { Seed = sampling.Seed + Answers.Count }, view.Piece, stop.Token);
        Answers.Add(answer);
        view.Done(answer, sampling.MaxTokens, session.ContextLength);
        return answer.Generation is null;
    }
}
