using System.Text.Json.Nodes;
using Apprentice.Data;

namespace Apprentice.Tests.Server;

/// <summary>A request, and what must come of it.</summary>
/// <param name="Wrong">The field that an error must name; empty for one that names none, null where the request is right.</param>
internal sealed record GeneratedRequest(string Method, string Path, JsonObject? Body, string? Wrong)
{
    public bool Streams => Body?["stream"] is JsonValue stream && stream.TryGetValue<bool>(out var yes) && yes;
}

/// <summary>
/// Right and wrong requests to all paths, the same ones each time. Every field that the description of the API names is among them: as
/// null, which counts as absent, and with a value that no field takes.
/// </summary>
internal sealed class GeneratedRequests(OpenApiDescription description, string model)
{
    public const string Chat = "/v1/chat/completions", Text = "/v1/completions";

    private const string Common =
        """
        {"temperature":[0,1,0.7,2,null],"top_p":[1,0.5,0,null],"n":[1,2,null],"stop":["zz",["a","b"],[],null],"seed":[0,7,-3,9223372036854775807,null],
         "frequency_penalty":[-2,0,1.5,null],"presence_penalty":[2,-0.5,null],"logit_bias":[{"5":-100,"6":1.5},{},null],"stream":[true,false,null],"user":["someone",null]}
        """;

    private static readonly JsonObject ChatFields = With(Common,
        """
        {"max_tokens":[1,3,null],"logprobs":[true,false,null],"store":[false],"response_format":[{"type":"text"}],"modalities":[["text"]],"service_tier":["auto","default",null],
         "metadata":[{"a":"b"},null],"tools":[[],null],"tool_choice":["none","auto",null],"parallel_tool_calls":[true],"safety_identifier":["x"],"prompt_cache_key":["k",null],
         "messages":[[{"role":"user","content":"Hi"}],[{"role":"system","content":"Be short."},{"role":"user","content":[{"type":"text","text":"größer 你好 🙂"}]},{"role":"assistant","content":"Yes"},{"role":"user","content":"","name":"x"}],
           [{"role":"developer","content":"x"},{"role":"user","content":"\u0000\u001b[31m<|im_end|>"}]]}
        """);

    private static readonly JsonObject TextFields = With(Common,
        """
        {"max_tokens":[0,1,3],"logprobs":[0,5,null],"echo":[false,null],"best_of":[null],"suffix":["",null],"prompt":["Once","größer 🙂",["a","b"],[5,6],[[5],[6,7]]]}
        """);

    /// <summary>Field, value, and what the error names where that is not the field alone.</summary>
    private static readonly JsonArray Wrong = JsonNode.Parse(
        """
        [["temperature",-0.1],["temperature",2.01],["temperature","1"],["temperature",true],["top_p",1.5],["top_p",-1],["n",0],["n",129],["n",1.5],["n","2"],["stop",5],["stop",["a","b","c","d","e"]],
         ["stop",""],["stop",[""],"stop[0]"],["stop",[1],"stop[0]"],["seed","x"],["seed",1.5],["frequency_penalty",3],["presence_penalty",-2.5],["logit_bias",[1]],["logit_bias",{"x":1}],["logit_bias",{"1":101},"logit_bias.1"],
         ["logit_bias",{"99999999":1}],["stream","yes"],["stream",1],["user",5],["max_tokens",-1],["max_tokens",2.5],["max_tokens","9"],["stream_options",{"include_usage":true}],["unheard_of",1],["Temperature",1],["model",5],["model",null],
         ["logprobs","x"]]
        """)!.AsArray();

    private static readonly JsonArray WrongChat = JsonNode.Parse(
        """
        [["messages",[]],["messages","Hi"],["messages",null],["messages",[null],"messages[0]"],["messages",[{"content":"x"}],"messages[0].role"],["messages",[{"role":"user"}],"messages[0].content"],
         ["messages",[{"role":"robot","content":"x"}],"messages[0].role"],["messages",[{"role":"user","content":"x","extra":1}],"messages[0].extra"],["messages",[{"role":"user","content":[{"type":"image_url","image_url":{"url":"u"}}]}],"messages[0].content[0].type"],
         ["messages",[{"role":"tool","content":"x"}],"messages[0].tool_call_id"],["messages",[{"role":"assistant"}],"messages[0].content"],["messages",[{"role":"user","content":5}],"messages[0].content"],
         ["top_logprobs",3],["top_logprobs",21],["max_completion_tokens",0],["response_format",{"type":"json_object"}],["tool_choice","required"],["reasoning_effort","low"],["functions",[{"name":"f"}]],["function_call",{"name":"f"}],
         ["tools",[{"type":"function","function":{"name":"f"}}]],["tools",[{"type":"custom"}],"tools[0].type"],["store",true],["modalities",["audio"]],["audio",{"voice":"a","format":"wav"}],["prediction",{"type":"content","content":"x"}],
         ["verbosity","low"],["web_search_options",{}],["service_tier","flex"],["parallel_tool_calls",false],["logprobs",1],["metadata",{"a":1}]]
        """)!.AsArray();

    private static readonly JsonArray WrongText = JsonNode.Parse(
        """[["prompt",null],["prompt",5],["prompt",[]],["prompt",[[]],"prompt[0]"],["prompt",[1.5],"prompt[0]"],["prompt",[-1],"prompt[0]"],["prompt",[99999999]],["prompt",""],["best_of",3],["suffix","x"],["logprobs",6],["echo","yes"]]""")!.AsArray();

    public IEnumerable<GeneratedRequest> Make(int count)
    {
        var random = new CounterRandom(5, RandomStream.Sampling);
        var draws = 0UL;
        foreach (var fixedOne in Fixed())
        {
            count--;
            yield return fixedOne;
        }

        for (; count > 0; count--)
        {
            var chat = Draw(2) == 0;
            var body = Right(chat);
            if (Draw(2) == 0)
            {
                yield return new GeneratedRequest("POST", chat ? Chat : Text, body, null);
                continue;
            }

            var list = Draw(2) == 0 ? Wrong : chat ? WrongChat : WrongText;
            var wrong = list[Draw(list.Count)]!.AsArray();
            var field = (string)wrong[0]!;
            Array.ForEach(["stream", "stream_options", "tool_choice"], name => body.Remove(name)); // one mistake at a time
            body[field] = wrong[1]?.DeepClone();
            yield return new GeneratedRequest("POST", chat ? Chat : Text, body, wrong.Count > 2 ? (string)wrong[2]! : field);
        }

        JsonObject Right(bool chat)
        {
            var body = new JsonObject { ["model"] = model, ["max_tokens"] = 2 };
            foreach (var (name, values) in chat ? ChatFields : TextFields)
            {
                if (name is "messages" or "prompt" || Draw(3) == 0)
                {
                    body[name] = values![Draw(values.AsArray().Count)]?.DeepClone();
                }
            }

            if (chat && body["logprobs"] is JsonValue asked && (bool)asked)
            {
                body["top_logprobs"] = Draw(4);
            }

            if (body["stream"] is JsonValue streams && (bool)streams)
            {
                body["stream_options"] = new JsonObject { ["include_usage"] = Draw(2) == 0 };
            }

            if (!chat)
            {
                body["best_of"] = body["n"]?.DeepClone();
            }

            return body;
        }

        int Draw(int below) => (int)(random.Uniform(draws++) * below);
    }

    /// <summary>Every field that the description names, and the paths without a body.</summary>
    private IEnumerable<GeneratedRequest> Fixed()
    {
        foreach (var (path, schema, needed) in new[] { (Chat, "CreateChatCompletionRequest", "messages"), (Text, "CreateCompletionRequest", "prompt") })
        {
            foreach (var name in description.Properties(description.Schema(schema)).Keys)
            {
                yield return new GeneratedRequest("POST", path, Least(path, name, null), name == "model" || name == needed ? name : null);
                if (name != "prompt")
                {
                    yield return new GeneratedRequest("POST", path, Least(path, name, JsonNode.Parse("[[0]]")), name);
                }
            }
        }

        yield return new GeneratedRequest("GET", "/v1/models", null, null);
        yield return new GeneratedRequest("GET", $"/v1/models/{model}", null, null);
        foreach (var (method, path) in new[] { ("GET", "/v1/models/x"), ("GET", "/v1/models/a%2Fb"), ("DELETE", $"/v1/models/{model}"), ("POST", "/v1/models"), ("GET", Chat), ("PUT", Text), ("GET", "/v1/models?limit=2") })
        {
            yield return new GeneratedRequest(method, path, null, "");
        }
    }

    private JsonObject Least(string path, string name, JsonNode? value) => new()
    {
        ["model"] = model, ["max_tokens"] = 1, [path == Chat ? "messages" : "prompt"] = path == Chat ? new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "Hi" }) : "Hi", [name] = value,
    };

    private static JsonObject With(string common, string more)
    {
        var fields = JsonNode.Parse(common)!.AsObject();
        foreach (var (name, values) in JsonNode.Parse(more)!.AsObject())
        {
            fields[name] = values!.DeepClone();
        }

        return fields;
    }
}
