// llama.cpp on the tokens that `top-tokens` has written; called by benchmarks/llama-agrees and llama-agrees-adapter. Exit code 1 where it disagrees.
// usage: node llama-agrees.mjs MODEL.gguf TOKENS.jsonl [ADAPTER.gguf]
import {readFileSync} from 'node:fs';
import {getLlama, LlamaLogLevel} from 'node-llama-cpp';

const [file, tokens, adapter] = process.argv.slice(2);
const llama = await getLlama({gpu: false, build: 'never', logLevel: LlamaLogLevel.error});
const model = await llama.loadModel({modelPath: file});
let positions = 0, clear = 0, same = 0, clearSame = 0;
for (const {ids, top, margins} of readFileSync(tokens, 'utf8').trim().split('\n').map(line => JSON.parse(line))) {
  const context = await model.createContext({contextSize: 1024, ...(adapter && {lora: adapter})});
  const output = await context.getSequence().controlledEvaluate(ids.map(id => [id, {generateNext: {token: true, options: {temperature: 0}}}]));
  for (let i = 0; i < ids.length; i++) {
    const agrees = output[i].next.token === top[i];
    positions++;
    same += agrees;
    if (margins[i] > 1.0) {
      clear++;
      clearSame += agrees;
      if (!agrees) console.log(`differs at ${i}: llama.cpp ${output[i].next.token}, ours ${top[i]}, margin ${margins[i]}`);
    }
  }
  await context.dispose();
}
console.log(`The same most likely token at ${clearSame} of ${clear} positions with a margin above 1.0, and at ${same} of all ${positions}.\n`);
process.exit(clear > 0 && clearSame === clear ? 0 : 1);
