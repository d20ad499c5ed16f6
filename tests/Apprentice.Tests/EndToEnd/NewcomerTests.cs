using System.Diagnostics;
using Apprentice.Tests.Golden;
using Apprentice.Tests.Training.Checkpoints;

namespace Apprentice.Tests.EndToEnd;

/// <summary>
/// The ten mistakes that newcomers make most, each with what the program says: one sentence of what is wrong, at most one
/// of what to do, the exit code, and nothing left behind. Rarer ones are in <see cref="RefusalTests"/>.
/// </summary>
[Trait("Category", "EndToEnd")]
public sealed class NewcomerTests : IDisposable
{
    private const string Train = "train --model m --data bank.jsonl --out r ";
    private const string Long = Train + "--max-steps 5000 --validation none --checkpoint-every 1000";
    private readonly Workplace work = new();

    public void Dispose() => work.Dispose();

    /// <summary>1. Said once, before restoring, which would fail in its own way; of a solution, not once for each project.</summary>
    [Theory]
    [InlineData("src/Apprentice.Cli")]
    [InlineData("Apprentice.slnx")]
    public async Task An_old_sdk(string project)
    {
        var start = new ProcessStartInfo("dotnet", ["msbuild", Path.Combine(GoldenData.Root, project), "-t:Restore", "-p:NETCoreSdkVersion=8.0.404", "-nologo", "-v:q", "-nodeReuse:false"])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        using var build = Process.Start(start)!;
        var said = Assert.Single((await build.StandardOutput.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries));
        await build.WaitForExitAsync();
        Assert.Equal(1, build.ExitCode);
        Assert.Contains(": Apprentice needs the .NET SDK 10 or later and this is 8.0.404: install it from https://dot.net, then run the command again.", said, StringComparison.Ordinal);
    }

    /// <summary>2.</summary>
    [Theory]
    [InlineData("train --model m --data bnk.jsonl --out r", "bnk.jsonl: there is no such file", "did you mean 'bank.jsonl'?")]
    [InlineData("train --model m --data bank.json --out r", "bank.json: there is no such file", "did you mean 'bank.jsonl'?")]
    [InlineData("train --model m --data gone.jsonl --out r", "gone.jsonl: there is no such file", "it was looked for in /")]
    [InlineData("train --model m --data m --out r", "m: this is a folder", "as in m/config.json")]
    [InlineData("train --model m/ --data m/bank.jsonl --out r", "m/bank.jsonl: there is no such file", "it was looked for in /")]
    [InlineData("train --model gone --data bank.jsonl --out r", "gone: there is no such model", "a model is a .gguf file")]
    [InlineData("train --model n/m --data bank.jsonl --out r", "n/m: there is no such model", "a model is a .gguf file")]
    [InlineData("train --model bank.jsonl/ --data bank.jsonl --out r", "bank.jsonl/: there is no such model", "did you mean 'bank.jsonl'?")]
    [InlineData("train --model bank.jsonl --data bank.jsonl --out r", "bank.jsonl: not a GGUF file", "a model is a .gguf file")]
    [InlineData("train --model m --data bank.jsonl/r --out r", "bank.jsonl/r: there is no such file", "check the name")]
    [InlineData("train gone.yaml", "gone.yaml: there is no such recipe", "check the name")]
    [InlineData("train bank.jsonl", "bank.jsonl: this is data", "give it as --data bank.jsonl")]
    [InlineData("generate --model m --prompts bank.txt", "bank.txt: there is no such file", "did you mean 'bank.jsonl'?")]
    [InlineData("evaluate --model m --data bank.jsonl --out n/rows.jsonl", "n/rows.jsonl: there is no such folder", "make it first")]
    [InlineData("evaluate --model m --data bank.jsonl --out m", "m: this is a folder", "name the file in it")]
    public Task A_wrong_path(string command, string wrong, string remedy) => Says(2, command, wrong, remedy);

    /// <summary>3. A table is read, whatever the file's name says, but for one whose columns do not say what they are.</summary>
    [Theory]
    [InlineData("bank.csv", ';', "semicolons")]
    [InlineData("table.jsonl", ';', "semicolons")]
    [InlineData("bank.csv", ',', "commas")]
    [InlineData("bank.tsv", '\t', "tabs")]
    public async Task A_table(string file, char separator, string name)
    {
        File.WriteAllLines(work.In(file), Workplace.Bank.Select(b => $"{b.Prompt}{separator}{b.Completion}").Prepend($"question{separator}answer"));
        await Says(2, $"train --model m --data {file} --out r", $"{file}: this is a CSV table with {name} between its columns (question, answer)", "--columns prompt=question,completion=answer");
        var run = await work.Run($"train --model m --data {file} --columns prompt=question,completion=answer --out r --max-steps 1 --validation none");
        Assert.True(run.Exit == 0, run.Error);
        Assert.Contains($"6 examples (prompt/completion in a CSV table with {name} between its columns (question, answer))", run.Error, StringComparison.Ordinal);
    }

    /// <summary>4.</summary>
    [Theory]
    [InlineData("", "the file is empty")]
    [InlineData("\n  \r\n\n", "the file has no examples in it")]
    [InlineData("[]", "the file has no examples in it")]
    public async Task An_empty_file(string content, string wrong)
    {
        File.WriteAllText(work.In("none.jsonl"), content);
        await Says(2, "train --model m --data none.jsonl --out r", $"none.jsonl: {wrong}", "put one JSON object on each line, such as {\"prompt\":");
    }

    /// <summary>5. Broken off, or something else saved in its place.</summary>
    [Theory]
    [InlineData(0.0, null, "the file is empty", "download it again")]
    [InlineData(0.01, null, "the file is cut short", "download it again")]
    [InlineData(0.5, null, "the file is cut short or damaged: it has ", "download it again")]
    [InlineData(null, "version https://git-lfs", "this is a Git LFS pointer", "git lfs pull")]
    [InlineData(null, "\n<!DOCTYPE html><html>", "this is a web page", "download the file itself")]
    [InlineData(null, "PK\u0003\u0004", "this is a ZIP archive", "download the model's own file")]
    public async Task A_model_file_half_downloaded(double? share, string? instead, string wrong, string remedy)
    {
        byte[] gguf = TinyModel.Gguf(), weights = File.ReadAllBytes(work.In("m/model.safetensors"));
        byte[] Left(byte[] whole) => instead is null ? whole[..(int)(whole.Length * share!.Value)] : System.Text.Encoding.ASCII.GetBytes(instead);
        File.WriteAllBytes(work.In("m.gguf"), Left(gguf));
        File.WriteAllBytes(work.In("m/model.safetensors"), Left(weights));
        await Says(2, "generate --model m.gguf --prompt x", $"m.gguf: {wrong}", remedy);
        await Says(2, Train, $"m/model.safetensors: {wrong}", remedy);
        if (share == 0.5)
        {
            await Says(2, Train, $"it has {weights.Length / 2:N0} bytes and its tensors need {weights.Length:N0}", remedy);
        }
    }

    /// <summary>6. The run keeps its last checkpoint, and goes on when there is space.</summary>
    [SkippableFact]
    [Trait("Category", "Fault")]
    public async Task No_disk_left()
    {
        // A checkpoint takes 180 kB: two fit, the third does not.
        using var disk = SmallDisk.Mount("480k");
        var run = Path.Combine(disk.Path, "r");
        const string ToDisk = "train --model m --data bank.jsonl --max-steps 12 --checkpoint-every 2 --validation none --out ";
        await work.Done(ToDisk + "whole");

        await Says(1, ToDisk + run, "disk full while writing ", "the last good checkpoint is step-000004", "free some space", "apprentice resume RUN");
        Assert.Equal("failed", (string?)work.ReadJson(run, "state.json")["status"]);
        Assert.Equal(["step-000002", "step-000004"], Directory.GetFileSystemEntries(Path.Combine(run, "checkpoints")).Select(Path.GetFileName).Order());

        await Says(1, "resume " + run, "disk full while writing ");
        disk.Grow("4m");
        await work.Done("resume", run);
        work.AssertSameBits("whole", run);
    }

    /// <summary>7. In places where even an administrator may not, as whom tests often run.</summary>
    [SkippableTheory]
    [InlineData("/proc/r", "the system makes no files in this place")]
    [InlineData("/sys/kernel/r", "you have no permission")]
    public async Task No_write_permission(string place, string reason)
    {
        Skip.IfNot(Directory.Exists(Path.GetDirectoryName(place)), "needs Linux's own file systems");
        Skip.If(File.ReadLines("/proc/mounts").Any(mount => mount.Contains(" /sys sysfs ro", StringComparison.Ordinal)), "/sys is a read-only disk here, as in containers");
        var wrong = $"{place}: nothing can be written here: {reason}";
        await Says(2, $"train --model m --data bank.jsonl --max-steps 2 --out {place}", wrong, "choose a place in which you may write");
        await Says(2, $"new {place}", wrong, "choose a place");
        await Says(2, $"evaluate --model m --data bank.jsonl --out {place}", wrong, "choose a place");
        await Says(2, $"export m --out {place}", wrong, "choose a place");
        await Says(2, $"tokenizer train --data bank.jsonl --out {place}", wrong, "choose a place");
    }

    /// <summary>7. The same of a disk, and of a folder that is there already.</summary>
    [SkippableFact]
    public async Task A_disk_that_is_read_only()
    {
        using var disk = SmallDisk.Mount();
        var empty = Directory.CreateDirectory(Path.Combine(disk.Path, "empty")).FullName;
        disk.MakeReadOnly();
        foreach (var place in new[] { empty, Path.Combine(disk.Path, "r") })
        {
            await Says(2, $"train --model m --data bank.jsonl --max-steps 2 --out {place}", $"{place}: nothing can be written here: the disk is read-only", "choose a place in which you may write");
        }
    }

    /// <summary>8. One after the other, and at the same time.</summary>
    [Fact]
    public async Task Running_twice_into_the_same_folder()
    {
        await work.Done(Train + "--max-steps 3");
        var adapter = File.ReadAllBytes(work.In("r/adapter/adapter_model.safetensors"));
        await Says(2, Train + "--max-steps 4", "r: there is something there already, and a run is never overwritten", "give another --out, or go on with it: apprentice resume r");
        Assert.Equal(adapter, File.ReadAllBytes(work.In("r/adapter/adapter_model.safetensors")));

        using var first = work.Start(Long.Replace("--out r", "--out busy", StringComparison.Ordinal));
        await first.LineAsync(line => line.StartsWith("step 1/", StringComparison.Ordinal));
        await Says(2, Train.Replace("--out r", "--out busy", StringComparison.Ordinal), "busy: there is something there already", "give another --out");
        await Says(2, "resume busy", "busy: another process is training this run", "wait until it is done, or stop it");
        first.Kill();
        await first.WaitAsync();
    }

    /// <summary>9. That the resumed run ends with the same bits is in <see cref="ResumeTests"/>.</summary>
    [SkippableFact]
    public async Task Ctrl_C_halfway()
    {
        using var cli = work.Start(Long);
        await cli.LineAsync(line => line.StartsWith("step 1/", StringComparison.Ordinal));
        cli.Interrupt();
        var run = await cli.WaitAsync();
        Assert.Equal(130, run.Exit);
        Assert.Equal("go on with it: apprentice resume r", run.Output.TrimEnd().Split('\n')[^1]);
        Assert.DoesNotContain("error", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
        Assert.Equal("paused", (string?)work.ReadJson("r/state.json")["status"]);
        Assert.DoesNotContain(Directory.GetFileSystemEntries(work.In("r"), "*", SearchOption.AllDirectories), e => Path.GetFileName(e).StartsWith(".tmp-", StringComparison.Ordinal));
    }

    /// <summary>10.</summary>
    [Theory]
    [InlineData("train --model m --dta bank.jsonl --out r", "'--dta' is not an option of 'apprentice train'", "did you mean '--data'?")]
    [InlineData(Train + "--lr 1e-4", "'--lr' is not an option of 'apprentice train'", "did you mean '--learning-rate'?")]
    [InlineData(Train + "--max_step 3", "'--max_step' is not an option of 'apprentice train'", "did you mean '--max-steps'?")]
    [InlineData("trian --model m", "'trian' is not a command", "did you mean 'train'?")]
    [InlineData("quickstart --opne", "'--opne' is not an option of 'apprentice quickstart'", "did you mean '--open'?")]
    public Task A_misspelt_flag(string command, string wrong, string remedy) => Says(2, command, wrong, remedy);

    /// <summary>Nothing on standard output; on standard error an error of one line and at most one hint; no new file.</summary>
    private async Task Says(int exit, string command, params string[] words)
    {
        var before = Files();
        var run = await work.Run(command);
        Assert.True(run.Exit == exit, $"exit {run.Exit}\n{run.Output}\n{run.Error}");
        Assert.Equal("", run.Output);
        var said = run.Error.TrimEnd().Split('\n').SkipWhile(line => exit == 1 && !line.StartsWith("error: ", StringComparison.Ordinal)).ToArray(); // a run that was begun told of its steps
        Assert.StartsWith("error: ", said[0], StringComparison.Ordinal);
        Assert.True(said.Length == 1 || (said.Length == 2 && said[1].StartsWith("hint: ", StringComparison.Ordinal)), run.Error);
        Assert.All(words, word => Assert.Contains(word, string.Join('\n', said), StringComparison.Ordinal));
        Assert.Equal(before, Files());
    }

    // Apart from a run that another process is writing.
    private IEnumerable<string> Files() =>
        Directory.GetFileSystemEntries(work.Path, "*", SearchOption.AllDirectories).Where(f => !f.Contains("/busy", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToArray();
}
