// Makes the training text of the built-in base model: warmup.jsonl, main.jsonl and anneal.jsonl, tokenizer.jsonl, held-out/KIND.jsonl, mixture.json.
//   dotnet run recipes/base/prepare.cs -- --source ../shared/data/pretrain --out DIR
// The same bytes every time: every choice is a function of a document's text and of the seed. How much of which source, and why, is in
// generate/Mixture/Source.cs; the instruction data of our own are in generate/. Needs the xz program.
#:project generate/Apprentice.Recipes.Base.csproj
#:property PublishAot=false
using System.Globalization;
using System.Text.Json.Nodes;
using Apprentice.Data;
using Apprentice.Recipes.Base;
using Apprentice.Recipes.Base.Mixture;

const ulong Seed = 5, HeldOutSeed = 6, WarmupSeed = 7;
const int HeldOutDocuments = 150, TokenizerBytes = 30_000_000;

if (args is not ["--source", var source, "--out", var target])
{
    Console.Error.WriteLine("usage: dotnet run recipes/base/prepare.cs -- --source FOLDER (of the .jsonl.xz files) --out FOLDER");
    return 2;
}

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
Directory.CreateDirectory(Path.Combine(target, "held-out"));
var used = Source.Table.Where(s => s.Main + (long)s.Anneal > 0).ToArray();
IReadOnlyList<Document>[] read;
try
{
    read = used.AsParallel().AsOrdered().Select(s => Document.Read(source, s.Name)).ToArray();
}
catch (AggregateException e) when (e.InnerException is IOException or System.ComponentModel.Win32Exception)
{
    Console.Error.WriteLine(e.InnerException.Message);
    return 2;
}

// Held out first: of each kind so many, an equal part of each of its sources; then nothing that overlaps with them is trained on.
var heldOut = new HeldOutText();
var held = new HashSet<ulong>();
var slices = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
for (var i = 0; i < used.Length; i++)
{
    var share = HeldOutDocuments / used.Count(s => s.Kind == used[i].Kind);
    foreach (var document in read[i].Where(d => d.Characters is > 20 and < 1500 || d is { IsPlain: true, Characters: > 20 }).Take(share))
    {
        heldOut.Add(document);
        held.Add(document.Id);
        Slice(used[i].Kind).Add(Json.Compact(document.Shortened(1200).ToJson(new Draw(HeldOutSeed, used[i].Name, (long)(document.Id >> 16)), used[i])));
    }
}

foreach (var document in read.SelectMany(documents => documents))
{
    heldOut.Count(document);
}

var (main, anneal, rows) = (new List<string>(), new List<string>(), new JsonArray());
for (var i = 0; i < used.Length; i++)
{
    var row = new Taken();
    foreach (var document in read[i].Where(d => !held.Contains(d.Id)))
    {
        var late = row.Main >= used[i].Main;
        if (late && row.Anneal >= used[i].Anneal)
        {
            break;
        }

        if (heldOut.Overlaps(document))
        {
            row.Overlapping++;
            continue;
        }

        var line = Json.Compact(document.ToJson(new Draw(Seed, used[i].Name, (long)(document.Id >> 16)), used[i]));
        (late ? anneal : main).Add(line);
        row.Add(late, document.Characters);
    }

    rows.Add(row.ToJson(used[i].Name, used[i].Kind, used[i].Licence, read[i].Count));
}

var copying = Generator.All.Single(g => g.Make == Copying.Make);
var orders = Generator.All.Single(g => g.Make == Service.Order);

// Orders came when the tokenizer was settled, and do not change it.
var added = new List<string>();

// A tokenizer that learned from words that there are not would keep tokens for them.
var madeUp = new HashSet<string>();
foreach (var generator in Generator.All)
{
    var (row, seen) = (new Taken(), new HashSet<string>());
    for (var index = 0; index < HeldOutDocuments; index++)
    {
        var line = Json.Compact(generator.Example(HeldOutSeed, index).ToJson());
        if (seen.Add(line))
        {
            Slice("own " + generator.Name).Add(line);
        }
    }

    var all = generator.Main + generator.Anneal;
    var lateShare = (double)generator.Anneal / all;
    for (long index = 0, tries = all / 20; row.Main + row.Anneal < all && index < tries; index++)
    {
        var example = generator.Example(Seed, index);
        var line = Json.Compact(example.ToJson());
        if (!seen.Add(line))
        {
            row.Repeated++;
            continue;
        }

        var late = generator.Main == 0 || row.Anneal < lateShare * (row.Main + row.Anneal);
        (generator == orders ? added : late ? anneal : main).Add(line);
        row.Add(late, example.Turns.Sum(turn => turn.Length) + (example.System?.Length ?? 0));
    }

    if (generator == copying)
    {
        madeUp.UnionWith(seen);
    }

    rows.Add(row.ToJson("own " + generator.Name, "own", "Apache-2.0 (made here)", row.Documents));
}

main = Shuffled(main, 0);

// Half of the first tokens are copying, half are of everything: on copying alone it is learned faster, and lost again as soon as
// other text changes the embeddings.
Write("warmup.jsonl", Shuffled([.. Enumerable.Range(0, 8_000).Select(i => Json.Compact(copying.Example(WarmupSeed, i).ToJson())), .. main[..5_000]], 4));
main = main[5_000..];
anneal = Shuffled(anneal, 1);
Write("main.jsonl", main);
Write("anneal.jsonl", Shuffled([.. anneal, .. added], 5));
foreach (var (kind, lines) in slices)
{
    Write($"held-out/{kind.Replace(' ', '-')}.jsonl", lines);
}

Write("held-out/all.jsonl", Shuffled(slices.Values.SelectMany(lines => lines).ToList(), 2));
Write("tokenizer.jsonl", TokenizerSample(Shuffled([.. main, .. anneal], 3).Where(line => !madeUp.Contains(line))));
File.WriteAllText(Path.Combine(target, "mixture.json"), Json.Indented(rows) + "\n");
Console.WriteLine($"main {main.Count} documents, anneal {anneal.Count + added.Count}, held out {slices.Values.Sum(s => s.Count)} in {slices.Count} kinds: {target}");
return 0;

List<string> Slice(string kind) => slices.TryGetValue(kind, out var lines) ? lines : slices[kind] = [];

static List<string> Shuffled(List<string> lines, ulong index) =>
    new CounterRandom(Seed, RandomStream.EpochOrder, index).Permutation(lines.Count).Select(i => lines[i]).ToList();

static IEnumerable<string> TokenizerSample(IEnumerable<string> lines)
{
    var bytes = 0L;
    foreach (var line in lines.TakeWhile(_ => bytes < TokenizerBytes))
    {
        var json = JsonNode.Parse(line)!;
        var text = json["text"] is { } plain ? (string)plain! : string.Join('\n', json["messages"]!.AsArray().Select(message => (string)message!["content"]!));
        bytes += text.Length;
        yield return Json.Compact(new JsonObject { ["text"] = text });
    }
}

void Write(string name, IEnumerable<string> lines)
{
    var path = Path.Combine(target, name);
    File.WriteAllText(path + ".part", string.Join('\n', lines) + "\n");
    File.Move(path + ".part", path, overwrite: true);
}
