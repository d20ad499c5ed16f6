using System.Text.Json;
using Apprentice.Tensors;
using Xunit.Abstractions;

namespace Apprentice.Tests.Golden;

/// <summary>
/// Every case of training/ops: the operation's output, then its gradients from the case's cotangent, in float32 against
/// values computed in double. <see cref="OpsGoldenCase"/> says how a case becomes a call.
/// </summary>
[Trait("Category", "Golden")]
public sealed class OpsGoldenTests(ITestOutputHelper output)
{
    [SkippableFact]
    public void EveryOperationGivesTheReferenceOutputAndGradients()
    {
        var folder = GoldenData.RequireFolder("training/ops");
        using var description = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "ops.json")));
        var tensors = new GoldenTensors(Path.Combine(folder, "ops.safetensors"));
        using var engine = new Engine(2);
        var (passed, skipped, failures) = (0, new List<string>(), new List<string>());
        foreach (var entry in description.RootElement.GetProperty("cases").EnumerateObject())
        {
            var golden = new OpsGoldenCase(entry.Name, entry.Value, tensors);
            if (!golden.IsBuilt)
            {
                skipped.Add(entry.Name);
                continue;
            }

            var wrong = golden.Differences(engine).ToList();
            passed += wrong.Count == 0 ? 1 : 0;
            failures.AddRange(wrong);
            Assert.Equal(0, engine.Arena.LiveBytes);
        }

        output.WriteLine($"{passed} cases passed, {skipped.Count} skipped because the operation is not built ({string.Join(", ", skipped)})");
        Assert.True(failures.Count == 0, string.Join(Environment.NewLine, failures));
        Assert.True(passed > 0);
    }
}
