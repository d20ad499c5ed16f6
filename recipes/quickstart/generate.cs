// Makes the examples of quickstart: the support desk of an invented shop, message to {"intent","priority","reply"}.
//   dotnet run recipes/quickstart/generate.cs -- src/Apprentice.Cli/Quickstart
// Phrasings, urgency and some products of validation and test do not occur in training, so learning by heart does not
// solve them. The same seed gives the same bytes.
#:property PublishAot=false
#:property NuGetAudit=false
#:project ../../src/Apprentice.Data/Apprentice.Data.csproj
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Apprentice.Data;

const ulong Seed = 1;
(string Name, int PerIntent)[] sets = [("train", 40), ("validation", 10), ("test", 15)];

if (args.Length != 1)
{
    Console.Error.WriteLine("usage: dotnet run recipes/quickstart/generate.cs -- FOLDER");
    return 2;
}

var json = new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
var phrases = JsonNode.Parse(File.ReadAllText(Path.Combine(Here(), "phrases.json")))!;
var intents = phrases["replies"]!.AsObject().Select(r => r.Key).ToArray();
var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
var random = default(CounterRandom); // one sequence for each example
var (number, position) = (0UL, 0UL);
Directory.CreateDirectory(args[0]);
foreach (var (set, perIntent) in sets)
{
    var lines = new List<string>();
    for (var round = 0; round < perIntent; round++)
    {
        foreach (var intent in intents)
        {
            JsonObject example;
            do
            {
                (random, position) = (new CounterRandom(Seed, RandomStream.Sampling, number++), 0);
                example = Example(set, intent, round);
            }
            while (!seen.Add((string)example["prompt"]!));
            lines.Add(example.ToJsonString(json));
        }
    }

    File.WriteAllText(Path.Combine(args[0], set + ".jsonl"), string.Join('\n', lines) + "\n");
}

return 0;

JsonObject Example(string set, string intent, int round)
{
    // Every third trouble with a payment is money that was taken wrongly, which is urgent by itself.
    var money = intent == "payment_problem" && round % 3 == 0;
    var urgent = !money && Chance(0.3);
    var calm = !money && !urgent && Chance(0.45);
    var danger = urgent && intent is "damaged_item" && Chance(0.6);
    var priority = money || urgent ? "high" : calm ? "low" : "normal";

    var product = Of(Texts(phrases[set != "train" && Chance(0.4) ? "held_out_products" : "products"]!));
    var digits = Whole(1000, 9999).ToString(CultureInfo.InvariantCulture);
    var core = Of(Texts(phrases["intents"]![money ? "money_taken" : intent]![set]!))
        .Replace("{p}", product, StringComparison.Ordinal).Replace("{n}", digits, StringComparison.Ordinal);
    var urgency = urgent ? Of(Texts(phrases[danger ? "danger" : "deadline"]![set]!)) : calm ? Of(Texts(phrases["low"]![set]!)) : "";
    var neutral = Of(Texts(phrases["neutral"]!));

    // What happened comes before what came of it; other urgency and remarks stand before or behind.
    string[] parts = danger || Chance(0.6) ? [core, neutral, urgency] : Chance(0.5) ? [urgency, core, neutral] : [neutral, core, urgency];
    var body = string.Join(' ', parts.Where(p => p.Length > 0));
    var opening = Of(Texts(phrases["openings"]!));
    var message = opening + (opening.Length > 0 && body[1] is not (' ' or '\'') ? char.ToLowerInvariant(body[0]) + body[1..] : body) + Of(Texts(phrases["closings"]!));
    message = Chance(0.3) ? Slip(message) : message;
    message = Chance(0.15) ? message.ToLowerInvariant() : message;
    message = Chance(0.1) ? message.TrimEnd('.', '?', '!') : message;

    var reply = ((string)phrases["replies"]![intent]! + (string)phrases["reply_ends"]![priority]!)
        .Replace("{p}", product, StringComparison.Ordinal).Replace("{n}", digits, StringComparison.Ordinal);
    if ((intent is "return_item" or "damaged_item" or "stock_question") && !message.Contains(product, StringComparison.OrdinalIgnoreCase))
    {
        // A slip in the product, or a phrasing without it: the reply says only what the message does.
        reply = reply.Replace($"the {product}", "the item", StringComparison.Ordinal).Replace("in the item. ", "in it. ", StringComparison.Ordinal);
    }

    var answer = new JsonObject { ["intent"] = intent, ["priority"] = priority, ["reply"] = reply };
    return new JsonObject { ["prompt"] = message, ["completion"] = Spaced(answer) };
}

// One slip of the fingers in a word of five letters or more: two letters swapped, one left out, or one doubled.
string Slip(string message)
{
    var words = message.Split(' ');
    int[] places = [.. Enumerable.Range(0, words.Length).Where(i => words[i].Length >= 5 && words[i].All(char.IsLetter))];
    if (places.Length == 0)
    {
        return message;
    }

    var at = Of(places);
    var (word, i) = (words[at], 1 + Whole(0, words[at].Length - 3));
    words[at] = Whole(0, 2) switch
    {
        0 => $"{word[..i]}{word[i + 1]}{word[i]}{word[(i + 2)..]}",
        1 => word.Remove(i, 1),
        _ => word.Insert(i, word[i].ToString()),
    };
    return string.Join(' ', words);
}

// With a space after colons and commas, as people write it.
string Spaced(JsonObject answer) =>
    "{" + string.Join(", ", answer.Select(f => $"{JsonSerializer.Serialize(f.Key, json)}: {f.Value!.ToJsonString(json)}")) + "}";

string[] Texts(JsonNode list) => [.. list.AsArray().Select(t => (string)t!)];

int Whole(int low, int high) => low + random.Below(high - low + 1, position++);

bool Chance(double share) => random.Uniform(position++) < share;

T Of<T>(T[] items) => items[random.Below(items.Length, position++)];

// Not [CallerFilePath]: builds of a CI server (CI=true) put /_/ in its place.
static string Here() => (string)AppContext.GetData("EntryPointFileDirectoryPath")!;
