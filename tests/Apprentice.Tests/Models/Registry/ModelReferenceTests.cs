using Apprentice.Data;
using Apprentice.Models.Registry;
using Apprentice.Models.Weights;

namespace Apprentice.Tests.Models.Registry;

public sealed class ModelReferenceTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("apprentice-").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public void A_file_is_gguf_and_a_folder_with_a_configuration_is_hugging_faces()
    {
        var file = Make("m.gguf");
        Assert.Equal((new ModelReference(file), true), (ModelReference.Resolve(file), ModelReference.Resolve(file).IsGguf));
        var folder = Path.GetDirectoryName(Make("hf/config.json"))!;
        Assert.Equal((new ModelReference(folder), false), (ModelReference.Resolve(folder), ModelReference.Resolve(folder).IsGguf));
    }

    [Fact]
    public void A_run_leads_to_its_adapter_and_that_to_its_base()
    {
        var model = Make("m.gguf");
        Make("run/recipe.yaml");
        var adapter = Adapter("run/adapter", model);
        Assert.Equal(new ModelReference(model, adapter), ModelReference.Resolve(Path.Combine(root, "run")));
        Assert.Equal(new ModelReference(model, adapter), ModelReference.Resolve(adapter));
    }

    [Fact]
    public void A_base_is_also_looked_for_beside_its_adapter()
    {
        Make("adapter/m.gguf");
        var adapter = Adapter("adapter", "m.gguf");
        Assert.Equal(Path.Combine(adapter, "m.gguf"), ModelReference.Resolve(adapter).Base);
    }

    /// <summary>A run is used from any folder, also where another model lies under the name of its base.</summary>
    [Fact]
    public void A_runs_base_is_where_its_lock_says()
    {
        var model = Make("work/m.gguf");
        Make("work/run/recipe.yaml");
        File.WriteAllText(Path.Combine(root, "work/run/lock.json"), new System.Text.Json.Nodes.JsonObject { ["settings"] = new System.Text.Json.Nodes.JsonObject { ["model_path"] = model } }.ToJsonString());
        foreach (var name in new[] { "work/run/adapter", "work/run/checkpoints/step-000001" })
        {
            var adapter = Adapter(name, "m.gguf");
            Make(name + "/m.gguf");
            Assert.Equal(new ModelReference(model, adapter), ModelReference.Resolve(adapter));
        }

        // Both were moved.
        File.Delete(model);
        Assert.Equal(Path.Combine(root, "work/run/adapter/m.gguf"), ModelReference.Resolve(Path.Combine(root, "work/run")).Base);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"settings\":5}")]
    [InlineData("{\"settings\":{\"model_path\":5}}")]
    [InlineData("{\"settings\":{\"model_path\":\"\\u0000\"}}")]
    public void A_lock_that_says_nothing_is_passed_over(string text)
    {
        File.WriteAllText(Path.Combine(Path.GetDirectoryName(Make("run/recipe.yaml"))!, "lock.json"), text);
        var model = Make("m.gguf");
        Adapter("run/adapter", model);
        Assert.Equal(model, ModelReference.Resolve(Path.Combine(root, "run")).Base);
    }

    [Theory]
    [InlineData("hf:owner/name")]
    [InlineData("https://example.com/m.gguf")]
    public void What_is_to_be_downloaded_first_is_said(string source) =>
        Assert.Equal($"download it first: apprentice models add {source}", Assert.Throws<InputException>(() => ModelReference.Resolve(source)).Hint);

    [Fact]
    public void A_run_of_full_fine_tuning_leads_to_its_model()
    {
        Make("run/recipe.yaml");
        var model = Path.GetDirectoryName(Make("run/model/config.json"))!;
        Assert.Equal(new ModelReference(model), ModelReference.Resolve(Path.Combine(root, "run")));
    }

    [Fact]
    public void What_is_no_model_is_refused_by_name()
    {
        Make("begun/recipe.yaml");
        Make("empty/notes.txt");
        Adapter("lost", "gone.gguf");
        Adapter("circle", Path.Combine(root, "circle"));
        Refuses("model_not_found", "not-there");
        Refuses("no_model_yet", "begun");
        Refuses("not_a_model", "empty");
        Refuses("base_not_found", "lost");
        Refuses("base_not_found", "circle");
    }

    private void Refuses(string code, string name)
    {
        var error = Assert.Throws<InputException>(() => ModelReference.Resolve(Path.Combine(root, name)));
        Assert.Equal(code, error.Code);
        Assert.StartsWith(Path.Combine(root, name), error.File, StringComparison.Ordinal);
    }

    private string Make(string name)
    {
        var path = Path.Combine(root, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, "");
        return path;
    }

    private string Adapter(string name, string baseModel)
    {
        var folder = Directory.CreateDirectory(Path.Combine(root, name)).FullName;
        PeftConfigFile.Write(
            Path.Combine(folder, PeftConfigFile.Name), new PeftConfig { Rank = 4, Alpha = 8, TargetModules = ["q_proj"], BaseModel = baseModel });
        return folder;
    }
}
