// The loss per byte of models on each slice of held-out text, as a table for the model card:
//   dotnet run -c Release recipes/base/loss.cs -- HELD_OUT_FOLDER MODEL [MODEL]...
// Every token of a text counts, those of conversations with their turns as well; the special tokens have no bytes.
#:project ../../src/Apprentice.Training/Apprentice.Training.csproj
#:property PublishAot=false
using System.Globalization;
using Apprentice.Data;
using Apprentice.Data.Batching;
using Apprentice.Models.Registry;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Training.Losses;

const int Longest = 512, TokensAtOnce = 2048;

if (args is not [var folder, _, ..])
{
    Console.Error.WriteLine("usage: dotnet run -c Release recipes/base/loss.cs -- HELD_OUT_FOLDER MODEL [MODEL]...");
    return 2;
}

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
using var engine = new Engine();
var models = args[1..];
Console.WriteLine($"| text | documents | bytes | {string.Join(" | ", models)} |");
Console.WriteLine($"| --- | --- | --- |{string.Concat(models.Select(_ => " --- |"))}");
var files = Directory.GetFiles(folder, "*.jsonl").Order(StringComparer.Ordinal).ToArray();
var slices = models.Select(m => Losses(m, files)).ToArray();
for (var i = 0; i < files.Length; i++)
{
    var losses = slices.Select(s => $"{s[i].NatsPerByte:0.000}");
    Console.WriteLine($"| {Path.GetFileNameWithoutExtension(files[i]).Replace('-', ' ')} | {slices[0][i].Documents} | {slices[0][i].Bytes:N0} | {string.Join(" | ", losses)} |");
}

return 0;

(int Documents, long Bytes, double NatsPerByte)[] Losses(string reference, string[] files)
{
    using var model = LoadedModel.Open(reference);
    var encoder = model.Text.CorpusEncoder();
    return [.. files.Select(file => Loss(model, encoder.Encode([file])))];
}

(int Documents, long Bytes, double NatsPerByte) Loss(LoadedModel model, TokenCorpus corpus)
{
    var pieces = new CorpusOrder(corpus, Longest, Longest, 0, RandomStream.EpochOrder).InOrder();
    var nats = 0.0;
    foreach (var batch in StepBatch.Create(pieces, TokensAtOnce, sharePrefixes: false).MicroBatches)
    {
        using var tape = new Tape(engine, recording: false);
        var values = BatchForward.Run(tape, model.Model, model.Adapter, batch).ToArray();
        nats += new SupervisedLoss().Evaluate(values, batch.Targets, 1, default).NegativeLogLikelihood;
    }

    return (corpus.Documents, corpus.Bytes, nats / corpus.Bytes);
}
