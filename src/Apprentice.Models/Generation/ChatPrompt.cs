using System.Text.Json;
using System.Text.Json.Nodes;
using Apprentice.Models.Registry;
using Microsoft.Extensions.AI;

namespace Apprentice.Models.Generation;

/// <summary>Messages and tools of Microsoft.Extensions.AI as a model's prompt.</summary>
internal sealed class ChatPrompt(LoadedModel model)
{
    private readonly Lazy<bool> _tools = new(() => ToolCallReader.IsUsedBy(model.Text));

    /// <summary>Whether the model may call tools.</summary>
    public static bool OffersTools(ChatOptions? options) => options?.Tools is { Count: > 0 } && options.ToolMode is not NoneChatToolMode;

    /// <summary>Token ids up to where the assistant begins to answer.</summary>
    /// <exception cref="NotSupportedException">A content or tool that the model cannot take.</exception>
    /// <exception cref="Data.InputException">The model has no chat template, or it refuses the conversation.</exception>
    public int[] Ids(IReadOnlyList<ChatMessage> messages, ChatOptions? options)
    {
        var conversation = messages.SelectMany(Messages).ToList();
        if (options?.Instructions is { } instructions)
        {
            conversation.Insert(0, LoadedModel.Message("system", instructions));
        }

        return conversation.Count > 0 ? model.PromptIds(conversation, Tools(options))
            : throw new ArgumentException("there is no message to answer", nameof(messages));
    }

    private JsonArray? Tools(ChatOptions? options)
    {
        if (!OffersTools(options))
        {
            return null;
        }

        RequireTools();
        return options!.ToolMode is RequiredChatToolMode ? throw new NotSupportedException("a call of a tool cannot be required; leave ToolMode at Auto or None")
            : options.AllowMultipleToolCalls is false ? throw new NotSupportedException("the number of calls cannot be limited; leave AllowMultipleToolCalls out")
            : [.. options.Tools!.Select(Tool)];
    }

    private static JsonObject Tool(AITool tool) => tool is not AIFunctionDeclaration function
        ? throw new NotSupportedException($"tools are functions; '{tool.Name}' is a {tool.GetType().Name}")
        : new JsonObject
        {
            ["type"] = "function",
            ["function"] = new JsonObject
            {
                ["name"] = function.Name,
                ["description"] = function.Description,
                ["parameters"] = JsonSerializer.SerializeToNode(function.JsonSchema, AIJsonUtilities.DefaultOptions),
            },
        };

    private IEnumerable<JsonObject> Messages(ChatMessage message)
    {
        var result = LoadedModel.Message(message.Role.Value, string.Concat(message.Contents.OfType<TextContent>().Select(c => c.Text)));
        if (message.AuthorName is { } author)
        {
            result["name"] = author;
        }

        if (message.Contents.OfType<TextReasoningContent>().ToList() is { Count: > 0 } reasoning)
        {
            result["reasoning_content"] = string.Concat(reasoning.Select(r => r.Text));
        }

        var answers = new List<JsonObject>();
        var calls = new JsonArray();
        foreach (var content in message.Contents)
        {
            switch (content)
            {
                case FunctionCallContent call:
                    calls.Add(Call(call));
                    break;
                case FunctionResultContent answer:
                    answers.Add(Answer(answer));
                    break;
                case not (TextContent or TextReasoningContent or UsageContent):
                    throw new NotSupportedException($"the model reads text; a message has {content.GetType().Name}{(content is DataContent { MediaType: var type } ? $" ({type})" : "")}");
            }
        }

        if (calls.Count + answers.Count > 0)
        {
            RequireTools();
        }

        if (calls.Count > 0)
        {
            result["tool_calls"] = calls;
        }

        return answers.Count == 0 ? [result] : answers;
    }

    private static JsonObject Call(FunctionCallContent call) => new()
    {
        ["id"] = call.CallId,
        ["type"] = "function",
        ["function"] = new JsonObject
        {
            ["name"] = call.Name,
            ["arguments"] = JsonSerializer.SerializeToNode(call.Arguments ?? new Dictionary<string, object?>(), AIJsonUtilities.DefaultOptions),
        },
    };

    private static JsonObject Answer(FunctionResultContent answer)
    {
        var message = LoadedModel.Message("tool", answer.Result as string ?? JsonSerializer.Serialize(answer.Result, AIJsonUtilities.DefaultOptions));
        message["tool_call_id"] = answer.CallId;
        return message;
    }

    private void RequireTools()
    {
        if (!_tools.Value)
        {
            throw new NotSupportedException($"the model's chat template has no tools, or not in the way that is understood ({ToolCallReader.Begin})");
        }
    }
}
