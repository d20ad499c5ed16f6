// llama.cpp with several sequences in one context, through node-llama-cpp: texts gone on with greedily, all at once.
// usage: node serving.mjs MODEL.gguf PROMPTS.txt STREAMS TOKENS; prints ends, then tokens a second of 1 and of 2 threads, its best of three
import { readFileSync } from "node:fs";
import { getLlama, LlamaLogLevel } from "node-llama-cpp";

const [modelPath, promptFile, streams, tokens] = process.argv.slice(2);
const prompts = readFileSync(promptFile, "utf8").trim().split("\n");
const llama = await getLlama({ gpu: false, build: "never", logLevel: LlamaLogLevel.error });
const model = await llama.loadModel({ modelPath });
for (const threads of [1, 2]) {
  let best = 0;
  for (let round = 0; round < 3; round++) {
    const context = await model.createContext({ contextSize: 1024, sequences: +streams, batchSize: 512, threads });
    const began = performance.now();
    const counts = await Promise.all(Array.from({ length: +streams }, async (_, i) => {
      const sequence = context.getSequence();
      let count = 0;
      for await (const _token of sequence.evaluate(model.tokenize(prompts[i % prompts.length]), { temperature: 0, yieldEogToken: true })) {
        if (++count >= +tokens) break;
      }
      return count;
    }));
    best = Math.max(best, counts.reduce((a, b) => a + b, 0) / ((performance.now() - began) / 1000));
    await context.dispose();
  }
  console.log(`llama_parallel_${threads}`, best);
}
process.exit(0);
