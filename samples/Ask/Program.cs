// dotnet run --project samples/Ask -- "My card has not arrived" [MODEL]
using Apprentice.Models.Generation;
using Microsoft.Extensions.AI;

var question = args.ElementAtOrDefault(0) ?? "My card has not arrived";
using IChatClient client = ModelChatClient.Open(args.ElementAtOrDefault(1) ?? "base");
await foreach (var piece in client.GetStreamingResponseAsync(question, new ChatOptions { MaxOutputTokens = 100 }))
{
    Console.Write(piece.Text);
}

Console.WriteLine();
