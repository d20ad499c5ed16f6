using System.CommandLine;
using Apprentice.Data;
using Apprentice.Data.Datasets;
using Apprentice.Models.Registry;

namespace Apprentice.Cli.Commands;

/// <summary>
/// <c>tokenize</c>: what the model sees of a text or a conversation, token by token, and what of it training would learn.
/// </summary>
internal static class TokenizeCommand
{
    public static Verb Create(Terminal terminal)
    {
        var model = CommonOptions.Model();
        var text = new Option<string?>("--text") { Description = "A text, as it is.", HelpName = "TEXT" };
        var file = CommonOptions.File("--file", "A file with a text.");
        var messages = CommonOptions.File("--messages", "A JSON file with a conversation, which goes through the chat template.");
        var verb = new Verb(
            "tokenize",
            "Show the tokens of a text or a conversation, and which of them training would learn.",
            "apprentice tokenize --model runs/tickets --messages conversation.json")
        {
            model, text, file, messages,
        };
        verb.SetAction((parsed, _) =>
        {
            var (givenText, givenFile, givenMessages) = (parsed.GetValue(text), parsed.GetValue(file), parsed.GetValue(messages));
            if (new[] { givenText, givenFile, givenMessages }.Count(given => given is not null) != 1)
            {
                throw new InputException("bad_usage", "give one of --text TEXT, --file FILE and --messages FILE");
            }

            var modelText = ModelText.Load(ModelReference.Resolve(parsed.GetRequiredValue(model)));
            var tokens = givenMessages is not null
                ? OfConversation(modelText, givenMessages)
                : OfText(modelText, givenText ?? TextFile.Read(givenFile!));
            Print(terminal, tokens.Text, tokens.Rows);
            return Task.FromResult(ExitCode.Done);
        });
        return verb;
    }

    /// <summary>A plain text, with what the tokenizer puts around it; nothing says that any of it is to be learned.</summary>
    private static (string Text, List<TokenRow> Rows) OfText(ModelText model, string text)
    {
        var encoding = model.Tokenizer.Encode(text);
        return (text, Rows(model, text, encoding, new float[encoding.Ids.Length]));
    }

    /// <summary>An example gets its weights from the very code that training uses; a prompt is read up to the answer to come.</summary>
    private static (string Text, List<TokenRow> Rows) OfConversation(ModelText model, string file)
    {
        var example = ConversationFile.Read(file, out var isPrompt);
        var text = isPrompt
            ? model.Render(example.Prompt, example.Tools, addGenerationPrompt: true).Text
            : model.Render(example.Messages, example.Tools).Text;
        var encoding = model.Tokenizer.Encode(text, addSpecialTokens: false);
        var weights = isPrompt ? new float[encoding.Ids.Length] : model.ExampleEncoder().Encode(example).Weights;
        return (text, Rows(model, text, encoding, weights));
    }

    private static List<TokenRow> Rows(ModelText model, string text, Data.Tokenizers.Encoding encoding, float[] weights)
    {
        var offsets = encoding.CodePointOffsets(text);
        var rows = new List<TokenRow>(encoding.Ids.Length);
        for (var i = 0; i < encoding.Ids.Length; i++)
        {
            var token = model.Tokenizer.TokenText(encoding.Ids[i]);
            var (start, end) = encoding.Offsets[i];
            rows.Add(new TokenRow(encoding.Ids[i], token, offsets[i].Start, offsets[i].End, weights[i] > 0, end > start ? text[start..end] : token));
        }

        return rows;
    }

    private static void Print(Terminal terminal, string text, List<TokenRow> tokens)
    {
        if (!terminal.Json)
        {
            TokenTable.Write(terminal.Results, tokens);
            return;
        }

        terminal.WriteJson(new
        {
            Text = text,
            Ids = tokens.Select(t => t.Id),
            Tokens = tokens.Select(t => t.Token),
            Offsets = tokens.Select(t => new[] { t.Start, t.End }),
            Supervised = tokens.Select(t => t.Supervised),
        });
    }
}
