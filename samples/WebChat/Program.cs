// dotnet run --project samples/WebChat -- --model MODEL --urls http://127.0.0.1:5000
// curl "http://127.0.0.1:5000/ask?question=My+card+has+not+arrived"
using Microsoft.Extensions.AI;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddApprentice(builder.Configuration["model"] ?? "base");
var app = builder.Build();
app.MapGet("/ask", async (string question, IChatClient model, CancellationToken gone) =>
    (await model.GetResponseAsync(question, new ChatOptions { MaxOutputTokens = 100 }, gone)).Text);
app.Run();
