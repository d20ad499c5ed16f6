using System.Text.Json;
using System.Text.Json.Nodes;
using Apprentice.Data.Datasets;
using Apprentice.Models.Layers;
using Apprentice.Models.Registry;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;

namespace Apprentice.Benchmarks;

/// <summary>
/// For the first prompts of a data set a JSON line each: the tokens fed, and after each of them the most likely next one and
/// by how much its logit exceeds the second. What another program is to agree with.
/// </summary>
internal static class TopTokens
{
    public static void Write(string path, string data, int prompts)
    {
        using var model = LoadedModel.Open(path);
        using var engine = new Engine();
        foreach (var example in DatasetReader.Read(data).Examples.Take(prompts))
        {
            var ids = model.PromptIds(example.Prompt);
            using var tape = new Tape(engine, recording: false);
            var hidden = model.Model.Forward(tape, new ForwardInput(ids, new Segments(new Segment(0, ids.Length))) { Adapter = model.Adapter });
            var logits = model.Model.Logits(tape, hidden);
            var (top, margins, row) = (new JsonArray(), new JsonArray(), new float[logits.Columns]);
            for (var i = 0; i < ids.Length; i++)
            {
                logits.CopyRowTo(i, row);
                var best = Array.IndexOf(row, row.Max());
                top.Add(best);
                margins.Add(row[best] - row.Where((_, token) => token != best).Max());
            }

            Console.WriteLine(new JsonObject { ["ids"] = JsonSerializer.SerializeToNode(ids), ["top"] = top, ["margins"] = margins }.ToJsonString());
        }
    }
}
