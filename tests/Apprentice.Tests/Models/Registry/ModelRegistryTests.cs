using Apprentice.Data;
using Apprentice.Models.Registry;
using Apprentice.Tests.Models.Weights;

namespace Apprentice.Tests.Models.Registry;

public sealed class ModelRegistryTests : IDisposable
{
    private readonly ScratchFolder scratch = new();

    public void Dispose() => scratch.Dispose();

    private ModelRegistry Registry => new(scratch.Path);

    [Theory]
    [InlineData("smol")]
    [InlineData("ft:base::abc2defg")]
    [InlineData("ft:base:tickets:abc2defg")]
    [InlineData("acme/smol-1.7B:Q4_K_M")]
    public void Names_that_are_allowed(string name) => Assert.True(ModelName.IsValid(name));

    [Theory]
    [InlineData("")]
    [InlineData("base")]
    [InlineData("../x")]
    [InlineData("a/../b")]
    [InlineData("a//b")]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("-a")]
    [InlineData(".a")]
    [InlineData("a b")]
    [InlineData("a\nb")]
    [InlineData("é")]
    public void Names_that_are_not(string name)
    {
        Assert.False(ModelName.IsValid(name));
        Assert.Equal("bad_model_name", Assert.Throws<InputException>(() => Registry.Add(Model(name))).Code);
        Assert.Null(Registry.Find(name));
    }

    [Theory]
    [InlineData("My model (v2).gguf", "My-model-v2-.gguf")]
    [InlineData("..", null)]
    [InlineData("../../etc", "etc")]
    [InlineData("a..b", "a.b")]
    [InlineData("写真", null)]
    public void A_part_of_a_name_is_made_of_any_text(string text, string? part) => Assert.Equal(part, ModelName.Part(text));

    [Fact]
    public void What_is_added_is_there_until_it_is_removed()
    {
        Assert.Empty(Registry.List());
        Registry.Add(Model("b") with { Source = "hf:a/b", Bytes = 3, Kind = "gguf" });
        Registry.Add(Model("a"));
        Assert.Equal(["a", "b"], Registry.List().Select(m => m.Name));
        Assert.Equal(("hf:a/b", 3, "gguf"), (Registry.Find("b")!.Source, Registry.Find("b")!.Bytes, Registry.Find("b")!.Kind));
        Assert.Equal("model_exists", Assert.Throws<InputException>(() => Registry.Add(Model("a") with { Path = scratch.File("else") })).Code);
        Registry.Add(Model("a")); // the same once more
        Registry.Add(Model("a") with { Path = scratch.File("else") }, replace: true);
        Assert.Equal(scratch.File("else"), Registry.Find("a")!.Path);
        Registry.Remove("a");
        Assert.Equal("b", Assert.Single(Registry.List()).Name);
        Assert.Equal("model_not_found", Assert.Throws<InputException>(() => Registry.Remove("a")).Code);
    }

    [Fact]
    public void Files_of_its_own_go_with_a_name_unless_another_has_them()
    {
        var (mine, others) = (Owned("mine"), Model("others"));
        Directory.CreateDirectory(Path.Combine(Registry.ModelsFolder, ".tmp-mine", "left by a process that was killed while it deleted"));
        File.WriteAllText(others.Path, "");
        Registry.Add(mine);
        Registry.Add(others);
        Registry.Add(mine with { Name = "alias", Owned = false });

        Assert.Equal((null, null), (Registry.Remove("others").Deleted, Registry.Remove("mine").Deleted));
        Assert.True(File.Exists(others.Path) && File.Exists(mine.Path));
        Assert.True(Registry.Find("alias")!.Owned);

        Assert.Equal(Path.GetDirectoryName(mine.Path), Registry.Remove("alias").Deleted);
        Assert.Empty(Directory.GetFileSystemEntries(Registry.ModelsFolder));
    }

    [Fact]
    public void Files_of_what_is_replaced_go()
    {
        var (old, now) = (Owned("old"), Owned("now"));
        Registry.Add(old with { Name = "m" });
        Registry.Add(now with { Name = "m" }, replace: true);
        Assert.Equal((false, true), (File.Exists(old.Path), File.Exists(now.Path)));
    }

    /// <summary>Whatever the list says: nothing outside the registry's folder is deleted.</summary>
    [Theory]
    [InlineData("..")]
    [InlineData("../else/m.gguf")]
    [InlineData(".")]
    [InlineData("x/../../else")]
    [InlineData("/")]
    [Trait("Category", "Hostile")]
    public void Files_elsewhere_stay_even_where_the_list_claims_them(string path)
    {
        var kept = scratch.File("else/m.gguf");
        Directory.CreateDirectory(Path.GetDirectoryName(kept)!);
        File.WriteAllText(kept, "");
        Directory.CreateDirectory(Registry.ModelsFolder);
        Registry.Add(new RegisteredModel("m", Path.GetFullPath(path, Registry.ModelsFolder), DateTimeOffset.UnixEpoch) { Owned = true });
        Assert.Null(Registry.Remove("m").Deleted);
        Assert.True(File.Exists(kept));
        Assert.True(Directory.Exists(Registry.ModelsFolder));
    }

    [Fact]
    public void A_link_is_removed_and_not_what_it_leads_to()
    {
        var kept = Directory.CreateDirectory(scratch.File("else")).FullName;
        File.WriteAllText(Path.Combine(kept, "m.gguf"), "");
        Directory.CreateDirectory(Registry.ModelsFolder);
        Directory.CreateSymbolicLink(Path.Combine(Registry.ModelsFolder, "m"), kept);
        Registry.Add(new RegisteredModel("m", Path.Combine(Registry.ModelsFolder, "m", "m.gguf"), DateTimeOffset.UnixEpoch) { Owned = true });
        Assert.NotNull(Registry.Remove("m").Deleted);
        Assert.True(File.Exists(Path.Combine(kept, "m.gguf")));
        Assert.False(Path.Exists(Path.Combine(Registry.ModelsFolder, "m")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("{\"models\":null}")]
    [InlineData("{\"models\":[null]}")]
    [InlineData("{\"models\":[{\"name\":\"a\"}]}")]
    [InlineData("{\"models\":[{\"name\":\"../a\",\"path\":\"/m\",\"created\":\"2026-01-01T00:00:00Z\"}]}")]
    [InlineData("{\"models\":[{\"name\":\"a\",\"path\":\"m\",\"created\":\"2026-01-01T00:00:00Z\"}]}")]
    [InlineData("{\"models\":[{\"name\":\"a\",\"path\":\"/m\",\"created\":\"soon\"}]}")]
    [InlineData("{\"models\":[{\"name\":\"a\",\"path\":\"/m\",\"created\":\"2026-01-01T00:00:00Z\"},{\"name\":\"a\",\"path\":\"/m\",\"created\":\"2026-01-01T00:00:00Z\"}]}")]
    [InlineData("{\"models\":[],\"models\":[]}")]
    [Trait("Category", "Hostile")]
    public void A_damaged_list_is_said_and_not_overwritten(string text)
    {
        var file = scratch.File("models.json");
        File.WriteAllText(file, text);
        foreach (var use in new Action[] { () => Registry.List(), () => Registry.Find("a"), () => Registry.Add(Model("b")), () => Registry.Remove("a") })
        {
            Assert.Equal("bad_registry", Assert.Throws<InputException>(use).Code);
        }

        Assert.Equal(text, File.ReadAllText(file));
    }

    [Fact]
    public async Task Many_writers_at_once_lose_nothing()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Factory.StartNew(
            () =>
            {
                for (var n = 0; n < 10; n++)
                {
                    Registry.Add(Model($"m{i}-{n}"));
                }
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))); // threads of their own, so that they are at it at once
        Assert.Equal(80, Registry.List().Count);
    }

    private RegisteredModel Model(string name) => new(name, scratch.File("m.gguf"), DateTimeOffset.UnixEpoch);

    private RegisteredModel Owned(string name)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Registry.ModelsFolder, name)).FullName;
        File.WriteAllText(Path.Combine(folder, "m.gguf"), "");
        return new RegisteredModel(name, Path.Combine(folder, "m.gguf"), DateTimeOffset.UnixEpoch) { Owned = true };
    }
}
