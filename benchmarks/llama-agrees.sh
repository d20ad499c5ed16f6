# What llama-agrees and llama-agrees-adapter share; sourced by them. Sets model, out (a temporary folder), status (1 once
# something disagrees), trains $out/run (LoRA on SmolLM2-135M-Instruct (Q4_1), banking77, 20 steps) and writes
# $out/held-out.jsonl (100 rows). Needs ../shared, node, and node_modules/node-llama-cpp in LLAMA_CPP_FOLDER.
cd "$(dirname "${BASH_SOURCE[0]}")/.."
model=../shared/models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf
data=../shared/peers/banking77-10shot
status=0
out=$(mktemp -d)
export APPRENTICE_HOME=$out/home # runs are registered there, not in the list of whoever calls this
trap 'rm -rf "$out"' EXIT
ln -s "$(realpath "${LLAMA_CPP_FOLDER:?names the folder with node_modules/node-llama-cpp}/node_modules")" "$out/node_modules"
cp benchmarks/llama-agrees.mjs "$out/"

for project in src/Apprentice.Cli benchmarks/Apprentice.Benchmarks; do dotnet build -c Release --nologo -v quiet $project; done >&2
apprentice() { dotnet src/Apprentice.Cli/bin/Release/net10.0/apprentice.dll "$@"; }
bench() { dotnet benchmarks/Apprentice.Benchmarks/bin/Release/net10.0/Apprentice.Benchmarks.dll "$@"; }

# MODEL TOKENS [ADAPTER]: llama.cpp with the model on what top-tokens has written.
agrees() { node "$out/llama-agrees.mjs" "$@"; }

apprentice train --model $model --data $data/train.jsonl --out "$out/run" --method lora --rank 16 --alpha 32 \
  --learning-rate 1e-3 --max-steps 20 --batch-size 16 --validation none --seed 1 --json >"$out/train.json" 2>"$out/log"
head -100 $data/test.jsonl >"$out/held-out.jsonl"

echo "CPU: $(lscpu | sed -n 's/^Model name: *//p'), $(nproc) cores; $(date -u +%Y-%m-%d); commit $(git rev-parse --short HEAD); node-llama-cpp $(sed -n 's/^ *"version": "\(.*\)",/\1/p' "$out/node_modules/node-llama-cpp/package.json")"
echo
