using System.Text.Json.Nodes;

namespace Apprentice.Tests.Server;

public sealed class OpenApiValidatorTests
{
    private const string Completion =
        """{"id":"x","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":"a","logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}""";

    [SkippableTheory]
    [InlineData("CreateChatCompletionResponse")]
    [InlineData("CreateCompletionResponse")]
    [InlineData("Model")]
    public void The_descriptions_own_examples_are_right(string schema)
    {
        var description = OpenApiDescription.Require();
        var example = JsonNode.Parse((string)description.Schema(schema)["x-oaiMeta"]!["example"]!);
        Assert.Empty(new OpenApiValidator(description).Errors(example, schema));
    }

    [SkippableFact]
    public void The_descriptions_example_of_a_stream_is_right()
    {
        var description = OpenApiDescription.Require();
        var chunks = ((string)description.Schema("CreateChatCompletionStreamResponse")["x-oaiMeta"]!["example"]!).Split('\n').Where(l => l.StartsWith('{')).ToList();
        Assert.Equal(3, chunks.Count);
        Assert.All(chunks, c => Assert.Empty(new OpenApiValidator(description).Errors(JsonNode.Parse(c), "CreateChatCompletionStreamResponse")));
    }

    [SkippableTheory]
    [InlineData("\"id\":\"x\"", "\"id\":7", "$.id: expected \"string\", but got 7")]
    [InlineData("\"id\":\"x\"", "\"di\":\"x\"", "$: 'id' is missing")]
    [InlineData("\"created\":1", "\"created\":1.5", "$.created: expected \"integer\", but got 1.5")]
    [InlineData("\"created\":1", "\"created\":1700000000000", "$.created: 1700000000000 is no time in seconds since 1970")]
    [InlineData("text_completion", "completion", "$.object: \"completion\" is none of [\"text_completion\"]")]
    [InlineData("\"stop\"", "\"stopped\"", "$.choices[0].finish_reason: \"stopped\" is none of [\"stop\",\"length\",\"content_filter\"]")]
    [InlineData("\"stop\"", "null", "$.choices[0].finish_reason: expected \"string\", but got null")]
    [InlineData("\"logprobs\":null,", "", "$.choices[0]: 'logprobs' is missing")]
    [InlineData("\"logprobs\":null", "\"logprobs\":{\"tokens\":[1]}", "$.choices[0].logprobs.tokens[0]: expected \"string\", but got 1")]
    [InlineData("\"logprobs\":null", "\"logprobs\":{\"top_logprobs\":[{\"a\":\"b\"}]}", "$.choices[0].logprobs.top_logprobs[0].a: expected \"number\", but got \"b\"")]
    [InlineData("\"logprobs\":null", "\"logprobs\":{\"toks\":[]}", "$.choices[0].logprobs.toks: the schema names no such field")]
    [InlineData("\"total_tokens\":2", "\"total_tokens\":2,\"tokens_per_second\":9", "$.usage.tokens_per_second: the schema names no such field")]
    public void What_is_wrong_with_an_answer_is_told_with_its_path(string right, string wrong, string error)
    {
        var validator = new OpenApiValidator(OpenApiDescription.Require());
        Assert.Empty(validator.Errors(JsonNode.Parse(Completion), "CreateCompletionResponse"));
        Assert.Contains(error, string.Join('\n', validator.Errors(JsonNode.Parse(Completion.Replace(right, wrong, StringComparison.Ordinal)), "CreateCompletionResponse")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"type":"integer","nullable":true,"enum":[1]}""", "null", true)]
    [InlineData("""{"type":"integer","nullable":false}""", "null", false)]
    [InlineData("""{"type":["integer","null"]}""", "null", true)]
    [InlineData("""{"type":["integer","null"]}""", "\"a\"", false)]
    [InlineData("""{"type":"integer"}""", "3.0", true)]
    [InlineData("""{"type":"integer"}""", "3.5", false)]
    [InlineData("""{"type":"number"}""", "true", false)]
    [InlineData("""{"const":{"a":[1]}}""", """{"a":[1]}""", true)]
    [InlineData("""{"const":{"a":[1]}}""", """{"a":[2]}""", false)]
    [InlineData("""{"type":"number","minimum":-2,"maximum":2}""", "2", true)]
    [InlineData("""{"type":"number","minimum":-2,"maximum":2}""", "-2.01", false)]
    [InlineData("""{"type":"number","minimum":-2,"maximum":2}""", "1e3", false)]
    [InlineData("""{"type":"string","maxLength":2}""", "\"😀😀\"", true)]
    [InlineData("""{"type":"string","maxLength":2}""", "\"abc\"", false)]
    [InlineData("""{"type":"array","minItems":1,"maxItems":2,"items":{"type":"string"}}""", """["a","b"]""", true)]
    [InlineData("""{"type":"array","minItems":1}""", "[]", false)]
    [InlineData("""{"type":"array","maxItems":1}""", "[1,2]", false)]
    [InlineData("""{"type":"array","items":{"type":"string"}}""", """["a",1]""", false)]
    [InlineData("""{"oneOf":[{"type":"integer"},{"type":"string"}]}""", "1", true)]
    [InlineData("""{"oneOf":[{"type":"integer"},{"type":"number"}]}""", "1", false)]
    [InlineData("""{"oneOf":[{"type":"integer"},{"type":"string"}]}""", "true", false)]
    [InlineData("""{"anyOf":[{"type":"integer"},{"type":"number"}]}""", "1", true)]
    [InlineData("""{"allOf":[{"minimum":1},{"maximum":3}]}""", "4", false)]
    [InlineData("""{"type":"object"}""", """{"a":{"b":1}}""", true)]
    [InlineData("""{"type":"object","additionalProperties":true}""", """{"a":{"b":1}}""", true)]
    [InlineData("""{"type":"object","additionalProperties":false}""", """{"a":1}""", false)]
    [InlineData("""{"type":"object","additionalProperties":{"type":"integer"}}""", """{"a":1}""", true)]
    [InlineData("""{"type":"object","additionalProperties":{"type":"integer"}}""", """{"a":"b"}""", false)]
    [InlineData("""{"properties":{"a":{}},"required":["a"]}""", """{"a":null}""", true)]
    [InlineData("""{"properties":{"a":{}},"required":["a"]}""", "{}", false)]
    [InlineData("""{"properties":{"a":{}}}""", """{"a":1,"b":2}""", false)]
    [InlineData("""{"allOf":[{"properties":{"a":{}}},{"properties":{"b":{}}}]}""", """{"a":1,"b":2}""", true)]
    [InlineData("""{"anyOf":[{"properties":{"a":{}}},{"properties":{"b":{}},"required":["b"]}]}""", """{"a":1,"b":2}""", true)]
    [InlineData("""{"anyOf":[{"properties":{"a":{}}},{"properties":{"b":{}},"required":["c"]}]}""", """{"a":1,"b":2}""", false)]
    [InlineData("""{"$ref":"#/s/one"}""", "1", true)]
    [InlineData("""{"$ref":"#/s/one","nullable":true}""", "null", true)]
    [InlineData("""{"$ref":"#/s/one"}""", "2", false)]
    public void Each_keyword_means_what_JSON_schema_says(string schema, string document, bool right)
    {
        var validator = new OpenApiValidator(new OpenApiDescription(JsonNode.Parse("""{"s":{"one":{"const":1}}}""")!));
        Assert.Equal(right, validator.Errors(JsonNode.Parse(document), JsonNode.Parse(schema)!).Count == 0);
    }

    [Fact]
    public void A_keyword_that_is_not_checked_is_not_passed_over() =>
        Assert.Throws<NotSupportedException>(() => new OpenApiValidator(new OpenApiDescription(new JsonObject())).Errors(1, JsonNode.Parse("""{"multipleOf":2}""")!));
}
