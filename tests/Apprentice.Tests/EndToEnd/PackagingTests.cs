using System.IO.Compression;
using System.Reflection.Metadata;
using System.Xml.Linq;
using Apprentice.Tests.Data.Tokenizers;
using Apprentice.Tests.Golden;

namespace Apprentice.Tests.EndToEnd;

/// <summary>What <c>dotnet pack</c> and <c>dotnet publish</c> give, used as on another machine.</summary>
[Trait("Category", "Packaging")]
public sealed class PackagingTests(PackedRepository packed) : IClassFixture<PackedRepository>, IDisposable
{
    private static readonly string[] Libraries = ["Apprentice.Data", "Apprentice.Evaluation", "Apprentice.Models", "Apprentice.Server", "Apprentice.Tensors", "Apprentice.Training"];
    private readonly Workplace work = new();

    public void Dispose() => work.Dispose();

    [Fact]
    public void Packages_are_the_tool_and_the_libraries_and_say_what_they_are()
    {
        string[] ids = [.. Libraries, "apprentice"];
        Assert.Equal(ids.SelectMany(id => new[] { $"{id}.0.1.0.nupkg", $"{id}.0.1.0.snupkg" }), Directory.GetFiles(packed.Artifacts).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        var descriptions = ids.Select(id =>
        {
            using var package = Open($"{id}.0.1.0.nupkg");
            using var nuspec = package.GetEntry($"{id}.nuspec")!.Open();
            var metadata = XElement.Load(nuspec).Elements().Single();
            string? Field(string name) => metadata.Elements().SingleOrDefault(e => e.Name.LocalName == name)?.Value;
            Assert.Equal((id, "0.1.0", "Apprentice", "Apache-2.0", "PACKAGE.md"), (Field("id"), Field("version"), Field("authors"), Field("license"), Field("readme")));
            Assert.Contains("fine-tuning", Field("tags"), StringComparison.Ordinal);
            Assert.Null(metadata.Elements().SingleOrDefault(e => e.Name.LocalName == "repository")?.Attribute("url"));
            Assert.Null(Field("projectUrl"));
            Assert.Equal(PackedRepository.Text("src/PACKAGE.md"), Text(package, "PACKAGE.md"));
            Assert.Equal(PackedRepository.Text("LICENSE"), Text(package, "LICENSE"));
            return Field("description");
        });
        Assert.Equal(ids.Length, descriptions.Distinct().Count());
        Assert.DoesNotContain("](", PackedRepository.Text("src/PACKAGE.md"), StringComparison.Ordinal); // a gallery has no files beside it
    }

    [Fact]
    public void Libraries_bring_documentation_and_symbols_that_name_no_folder_of_this_machine()
    {
        foreach (var id in Libraries)
        {
            using var package = Open($"{id}.0.1.0.nupkg");
            Assert.Equal([$"lib/net10.0/{id}.dll", $"lib/net10.0/{id}.xml"], package.Entries.Select(e => e.FullName).Where(n => n.StartsWith("lib/", StringComparison.Ordinal)).Order());
            using var symbols = Open($"{id}.0.1.0.snupkg");
            Assert.All(WrittenSources(symbols.GetEntry($"lib/net10.0/{id}.pdb")!), file => Assert.StartsWith($"/_/src/{id}/", file, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void The_tool_brings_its_data_and_nothing_twice()
    {
        using var package = Open("apprentice.0.1.0.nupkg");
        var names = package.Entries.Select(e => e.FullName).ToArray();
        const string Root = "tools/net10.0/any/";
        var source = Path.Combine(GoldenData.Root, "src", "Apprentice.Cli");
        var data = new[] { ("Quickstart", "*.jsonl"), ("New", "*"), ("Base", "*") }
            .Where(set => Directory.Exists(Path.Combine(source, set.Item1)))
            .SelectMany(set => Directory.GetFiles(Path.Combine(source, set.Item1), set.Item2).Select(f => $"{set.Item1}/{Path.GetFileName(f)}"));
        Assert.All(data, file => Assert.Contains(Root + file, names));
        Assert.All(Libraries.Append("apprentice"), id => Assert.Contains($"{Root}{id}.pdb", names));
        Assert.Contains("apprentice.dll", Text(package, Root + "DotnetToolSettings.xml"), StringComparison.Ordinal);
        Assert.Equal(names.Select(Path.GetFileName).Distinct().Count(), names.Length);
        Assert.DoesNotContain(names, n => n.Contains("runtimes/", StringComparison.Ordinal) || n.EndsWith(".resources.dll", StringComparison.Ordinal) || n.EndsWith(".xml", StringComparison.Ordinal) && n.Contains("Apprentice", StringComparison.Ordinal));
        Assert.InRange(package.Entries.Where(e => !e.FullName.Contains("/Base/", StringComparison.Ordinal)).Sum(e => e.CompressedLength), 0, 2_700_000); // of it 0.6 MB are OpenTelemetry and what it stands on
    }

    [Fact]
    public async Task The_tool_installs_from_the_folder_alone_and_works_as_the_program_that_was_tested()
    {
        await packed.DoneAsync("dotnet", packed.Command("dotnet tool install "), packed.Path);
        Task<CliResult> Tool(string command) => packed.RunAsync(packed.In("artifacts", "tool", "apprentice"), command.Split(' '), work.Path);
        Assert.StartsWith("0.1.0", (await Tool("--version")).Output, StringComparison.Ordinal);
        Assert.Contains("apprentice train t\n", (await Tool("new t")).Output, StringComparison.Ordinal);

        const string Train = "train --model m --data bank.jsonl --max-steps 3 --out";
        await work.Done(Train, "tested");
        Assert.Equal(0, (await Tool(Train + " installed")).Exit);
        work.AssertSameBits("tested", "installed");

        var config = work.ReadJson("m", "config.json");
        config["max_position_embeddings"] = 2048; // as long as the messages are in bytes
        File.WriteAllText(work.In("m", "config.json"), config.ToJsonString());
        var quickstart = await Tool("quickstart --model m --max-steps 1 --json");
        Assert.True(quickstart.Exit == 3, quickstart.Output + quickstart.Error); // it gains nothing in a step, and says so
        Assert.True(File.Exists(work.In(quickstart.Json.GetProperty("report").GetString()!)));
    }

    [SkippableFact]
    public async Task The_sample_builds_against_the_packages_alone_and_answers()
    {
        Skip.IfNot(Directory.Exists(Path.Combine(PackedRepository.Fetched, "system.numerics.tensors")), "what the packages stand on is not in the cache of packages");
        var folder = Directory.CreateDirectory(packed.In("ask")).FullName;
        File.WriteAllText(Path.Combine(folder, "ask.csproj"), PackedRepository.Block(PackedRepository.Page, "xml"));
        File.WriteAllText(Path.Combine(folder, "Program.cs"), PackedRepository.Block(PackedRepository.Text("src/PACKAGE.md"), "csharp"));
        File.WriteAllBytes(Path.Combine(folder, "base.gguf"), TinyModel.Gguf());
        // A cache of its own: the version stays the same while the packages change.
        await packed.DoneAsync("dotnet", ["build", "-o", "bin", "-v:quiet", "-nodeReuse:false", "-warnaserror", "-p:NuGetAudit=false", "-p:RestorePackagesPath=" + packed.In("cache")], folder);
        await packed.DoneAsync(Path.Combine(folder, "bin", "ask"), [], folder);
    }

    /// <summary>The runtime, its environment and search path away.</summary>
    [SkippableFact]
    public async Task The_self_contained_program_needs_no_dotnet()
    {
        var program = Path.Combine(await packed.PublishedAsync(), "apprentice");
        await packed.DoneAsync("env", ["-i", program, "new", "t"], work.Path);
        await packed.DoneAsync("env", ["-i", program, "train", "--model", "m", "--data", "bank.jsonl", "--max-steps", "3", "--out", "contained"], work.Path);
        await work.Done("train --model m --data bank.jsonl --max-steps 3 --out tested");
        work.AssertSameBits("tested", "contained");
    }

    /// <summary>A root folder with the program, the libraries that it is linked to, and nothing else: no ICU, no OpenSSL, no shell.</summary>
    [SkippableFact]
    public async Task The_self_contained_program_runs_on_a_bare_system_and_without_icu_refuses_only_what_needs_it()
    {
        const string Enter = """
            set -e
            program=$1 folder=$2 root=$2/root; shift 2
            mkdir -p $root/app $root/proc $root/dev $root/files
            for library in $(ldd $program/apprentice $program/*.so | grep -o '/[^ :]*\.so[^ :]*' | grep -v "^$program" | sort -u); do
              mkdir -p $root$(dirname $library)
              cp -L $library $root$library
            done
            mount --bind $program $root/app; mount --rbind /proc $root/proc; mount --rbind /dev $root/dev; mount --bind $folder $root/files
            PATH=$PATH:/usr/sbin:/sbin
            exec "$(command -v env)" -i "$(command -v chroot)" $root /app/apprentice "$@"
            """;
        var program = await packed.PublishedAsync();
        Skip.IfNot((await packed.RunAsync("unshare", ["-m", "true"], work.Path)).Exit == 0, "another root folder cannot be entered: needs root and unshare");
        Task<CliResult> Bare(string command) => packed.RunAsync("unshare", ["-m", "bash", "-c", Enter, "bash", program, work.Path, .. command.Split(' ')], work.Path);

        var answer = await Bare("generate --model /files/m --prompt Hello --max-tokens 3");
        Assert.True(answer.Exit == 0, answer.Output + answer.Error);
        Assert.Equal(0, (await Bare("new /files/t")).Exit);
        var untrained = await Bare("train --model /files/m --data /files/bank.jsonl --out /files/r");
        Assert.Equal(2, untrained.Exit);
        Assert.Contains("install it (Debian: libssl3)", untrained.Error, StringComparison.Ordinal);

        File.WriteAllText(work.In("m", "tokenizer.json"), TinyTokenizer.Json(normalizer: """{"type": "NFC"}"""));
        Assert.Equal(0, (await work.Run("generate --model m --prompt Hello --max-tokens 3")).Exit);
        var refused = await Bare("generate --model /files/m --prompt Hello --max-tokens 3");
        Assert.Equal(2, refused.Exit);
        Assert.Contains("install ICU", refused.Error, StringComparison.Ordinal);
    }

    private ZipArchive Open(string name) => ZipFile.OpenRead(Path.Combine(packed.Artifacts, name));

    private static string Text(ZipArchive package, string name)
    {
        using var reader = new StreamReader(package.GetEntry(name)!.Open());
        return reader.ReadToEnd();
    }

    /// <summary>The source files that portable symbols name, but for those that the build generates in its own folder.</summary>
    private string[] WrittenSources(ZipArchiveEntry pdb)
    {
        var bytes = new MemoryStream();
        using (var stream = pdb.Open())
        {
            stream.CopyTo(bytes);
        }

        bytes.Position = 0;
        using var provider = MetadataReaderProvider.FromPortablePdbStream(bytes);
        var reader = provider.GetMetadataReader();
        string[] files = [.. reader.Documents.Select(d => reader.GetString(reader.GetDocument(d).Name)).Where(f => !f.StartsWith(packed.In("build"), StringComparison.Ordinal))];
        Assert.NotEmpty(files);
        return files;
    }
}
