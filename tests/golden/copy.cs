// Makes the small golden set in this folder from the whole one:
//   dotnet run tests/golden/copy.cs -- ../shared/golden
// Only files that were made for this project are taken: no third-party templates, tokenizers or weights.
#:property PublishAot=false
using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Nodes;

if (args.Length != 1 || !Directory.Exists(args[0]))
{
    Console.Error.WriteLine("usage: dotnet run tests/golden/copy.cs -- FOLDER (the whole golden set)");
    return 2;
}

var (source, target) = (args[0], Here());

Files("chat_templates", "conversations.json", "jinja_features/features.json");
Files("gguf", "types/special_f16.json", "types/round_f32.json");
foreach (var type in new[] { "f32", "f16", "bf16", "q4_0.random", "q4_1.random", "q5_0.random", "q5_1.random", "q8_0", "q8_0.random", "q4_k" })
{
    Files("gguf/types", type + ".gguf", type + ".f32");
}

Files("gguf/types", "q8_0.in.f32");
Folder("gguf/metadata");
Folder("gguf/malformed");
Fields("metrics/text_pairs.json", pair => Keep(pair, "id", "prediction", "references", "squad_normalized", "exact", "squad_em", "squad_f1"));
Fields("metrics/statistics.json", all => Keep(all, "wilson", "bootstrap"));

Files("models/llama", "config.json", "config.v4.json", "golden.json", "model.safetensors");
Tensors("models/llama/golden.safetensors", name => name != "logits64");
Folder("models/lora/llama-dora");

foreach (var tokenizer in new[] { "gpt2", "llama3", "llama2-legacy", "bert-uncased" })
{
    Files("tokenizers/" + tokenizer, "tokenizer.json", "tokenizer_config.json");
    Rows($"tokenizers/{tokenizer}/cases.jsonl", 7);
}

Files("tokenizers/llama2-legacy", "tokenizer.model");
Rows("tokenizers/llama2-legacy/spm_cases.jsonl", 7);
Files("tokenizers/bert-uncased", "pairs.jsonl");
Rows("tokenizers/components.jsonl", 12);

Fields("training/mixed/rounding.json", all => First(all, 300));
Files("training/mixed", "bf16_matmul.safetensors");
Cases("training/ops/ops", "cases", name => !name.StartsWith("conv2d", StringComparison.Ordinal) && name is not ("group_norm" or "jsd_generalized"
    or "attention_full" or "attention_scale" or "attention_softcap" or "cross_entropy_sum" or "cross_entropy_smooth" or "cross_entropy_z" or "cross_entropy_weighted" or "cross_entropy_softcap"));
Cases("training/optimizers/optimizers", "optimizers", name => name.StartsWith("adamw", StringComparison.Ordinal) || name.StartsWith("sgd", StringComparison.Ordinal));
Files("training/packing", "block_diagonal.json", "shared_prefix.json");
Tensors("training/packing/block_diagonal.grads.safetensors", name => !name.Contains(".mlp.") && !name.Contains("embed_tokens") && name != "packed_logits");
Files("training/sampling", "filters.json", "filters.safetensors");
Folder("training/schedules");
Folder("training/sft/model");
Files("training/sft", "examples.json", "full.json", "accumulate.json", "label_smoothing.json");
Folder("training/lora_sft/lora");
Folder("training/lora_sft/dora");
Folder("training/lora_sft/attention_only_patterns");

var size = Directory.EnumerateFiles(target, "*", SearchOption.AllDirectories).Sum(f => new FileInfo(f).Length);
Console.WriteLine($"{size / 1000} kB");
return 0;

// Not [CallerFilePath]: builds of a CI server (CI=true) put /_/ in its place.
static string Here() => (string)AppContext.GetData("EntryPointFileDirectoryPath")!;

string Target(string path)
{
    var full = Path.Combine(target, path);
    Directory.CreateDirectory(Path.GetDirectoryName(full)!);
    return full;
}

void Files(string folder, params string[] names)
{
    foreach (var path in names.Select(n => folder + "/" + n))
    {
        File.WriteAllBytes(Target(path), File.ReadAllBytes(Path.Combine(source, path)));
    }
}

void Folder(string folder)
{
    var root = Path.Combine(source, folder);
    Files(folder, [.. Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(root, f)).Order(StringComparer.Ordinal)]);
}

// Every n-th row, leaving out the very long ones.
void Rows(string path, int n) => File.WriteAllLines(Target(path), File.ReadLines(Path.Combine(source, path)).Where((row, i) => i % n == 0 && row.Length < 2000));

// A JSON file through a change of each of its rows, or of the whole object where it is none.
void Fields(string path, Action<JsonObject> change)
{
    var json = JsonNode.Parse(File.ReadAllBytes(Path.Combine(source, path)))!;
    foreach (var one in json is JsonArray rows ? rows.Select(r => r!.AsObject()) : [json.AsObject()])
    {
        change(one);
    }

    File.WriteAllText(Target(path), json.ToJsonString());
}

void Keep(JsonObject one, params string[] names)
{
    foreach (var name in one.Select(m => m.Key).Except(names).ToArray())
    {
        one.Remove(name);
    }
}

void First(JsonObject one, int count)
{
    foreach (var (name, value) in one.ToArray())
    {
        if (value is JsonArray all)
        {
            one[name] = new JsonArray([.. all.Take(count).Select(v => v!.DeepClone())]);
        }
    }
}

// NAME.json with an object of cases, and NAME.safetensors with tensors CASE/…
void Cases(string path, string member, Func<string, bool> keep)
{
    var dropped = new HashSet<string>(StringComparer.Ordinal);
    Fields(path + ".json", all =>
    {
        var cases = all[member]!.AsObject();
        foreach (var name in cases.Select(c => c.Key).Where(c => !keep(c)).ToArray())
        {
            dropped.Add(name);
            cases.Remove(name);
        }
    });
    Tensors(path + ".safetensors", tensor => tensor.Split('/')[0] is var name && !dropped.Any(d => name == d || name.StartsWith(d + "_", StringComparison.Ordinal)));
}

// The tensors of that name, in the order of the file.
void Tensors(string path, Func<string, bool> keep)
{
    var bytes = File.ReadAllBytes(Path.Combine(source, path));
    var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    var header = JsonNode.Parse(bytes.AsSpan(8, length))!.AsObject();
    var kept = new JsonObject();
    using var data = new MemoryStream();
    foreach (var (name, tensor) in header.Where(t => t.Key != "__metadata__" && keep(t.Key)).OrderBy(t => (long)t.Value!["data_offsets"]![0]!))
    {
        var (from, to) = ((int)(long)tensor!["data_offsets"]![0]!, (int)(long)tensor["data_offsets"]![1]!);
        var start = data.Position;
        data.Write(bytes.AsSpan(8 + length + from, to - from));
        kept[name] = new JsonObject { ["dtype"] = (string)tensor["dtype"]!, ["shape"] = tensor["shape"]!.DeepClone(), ["data_offsets"] = new JsonArray(start, data.Position) };
    }

    var json = JsonSerializer.SerializeToUtf8Bytes(kept);
    var padded = (json.Length + 7) / 8 * 8;
    var size = new byte[8];
    BinaryPrimitives.WriteUInt64LittleEndian(size, (ulong)padded);
    using var file = File.Create(Target(path));
    file.Write(size);
    file.Write(json);
    file.Write(Enumerable.Repeat((byte)' ', padded - json.Length).ToArray());
    data.WriteTo(file);
}
