// What users of the official JavaScript client do, against a running server with one model:
// node flows.mjs URL MODEL; prints a line for each flow, and exits with 1 at the first that fails.
import assert from "node:assert/strict";
import OpenAI from "openai";

const [url, model] = process.argv.slice(2);
const client = new OpenAI({ baseURL: `${url}v1`, apiKey: "none", maxRetries: 0 });
const messages = [{ role: "system", content: "Be short." }, { role: "user", content: "Where is my order?" }];
const greedy = { model, messages, temperature: 0, max_tokens: 12 };

const flows = {
  async chat() {
    const answer = await client.chat.completions.create({ ...greedy, logprobs: true, top_logprobs: 2 });
    assert.equal(answer.object, "chat.completion");
    assert.equal(answer.choices[0].message.role, "assistant");
    assert.ok(answer.choices[0].logprobs.content.every((t) => t.logprob <= 0 && t.top_logprobs.length === 2));
    assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
  },
  async streaming() {
    const whole = await client.chat.completions.create(greedy);
    let text = "", usage = null;
    for await (const chunk of await client.chat.completions.create({ ...greedy, stream: true, stream_options: { include_usage: true } })) {
      text += chunk.choices[0]?.delta?.content ?? "";
      usage = chunk.usage ?? usage;
    }
    assert.equal(text, whole.choices[0].message.content);
    assert.equal(usage.total_tokens, whole.usage.total_tokens);
  },
  async streamHelper() {
    const whole = await client.chat.completions.create(greedy);
    const stream = client.chat.completions.stream(greedy);
    assert.equal((await stream.finalMessage()).content, whole.choices[0].message.content);
    assert.equal((await stream.finalChatCompletion()).choices[0].finish_reason, whole.choices[0].finish_reason);
  },
  async choices() {
    const request = { ...greedy, temperature: 1.5, n: 3, seed: 5 };
    const texts = async () => (await client.chat.completions.create(request)).choices.map((c) => c.message.content);
    assert.deepEqual(await texts(), await texts());
  },
  async completions() {
    const answer = await client.completions.create({ model, prompt: "Once upon a", max_tokens: 5, temperature: 0, echo: true });
    assert.ok(answer.choices[0].text.startsWith("Once upon a"));
    let text = "";
    for await (const piece of await client.completions.create({ model, prompt: "Once upon a", max_tokens: 5, temperature: 0, echo: true, stream: true })) {
      text += piece.choices[0]?.text ?? "";
    }
    assert.equal(text, answer.choices[0].text);
  },
  async models() {
    const ids = [];
    for await (const one of client.models.list()) ids.push(one.id);
    assert.deepEqual(ids, [model]);
    assert.equal((await client.models.retrieve(model)).id, model);
  },
  async errors() {
    await assert.rejects(client.chat.completions.create({ ...greedy, model: "x" }), (e) => e instanceof OpenAI.NotFoundError && e.code === "model_not_found" && e.param === "model");
    await assert.rejects(client.chat.completions.create({ ...greedy, temperature: 9 }), (e) => e instanceof OpenAI.BadRequestError && e.param === "temperature");
    await assert.rejects(client.chat.completions.create({ ...greedy, response_format: { type: "json_object" } }), (e) => e.status === 400 && e.code === "unsupported_parameter");
    await assert.rejects(client.models.retrieve("a/b:c"), OpenAI.NotFoundError);
  },
  async cancellation() {
    const stream = await client.chat.completions.create({ ...greedy, max_tokens: 900, stream: true });
    for await (const _ of stream) {
      stream.controller.abort();
      break;
    }
    for (let health; ; await new Promise((r) => setTimeout(r, 20))) {
      health = await (await fetch(`${url}health`)).json();
      if (health.active + health.requests === 0) break;
    }
  },
};

for (const [name, flow] of Object.entries(flows)) {
  try {
    await flow();
    console.log(`${name} works`);
  } catch (error) {
    console.error(`${name} fails:`, error);
    process.exit(1);
  }
}
