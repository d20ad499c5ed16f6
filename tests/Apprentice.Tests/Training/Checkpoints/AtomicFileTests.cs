using Apprentice.Data.Files;
using Apprentice.Training.Checkpoints;

namespace Apprentice.Tests.Training.Checkpoints;

public class AtomicFileTests
{
    [SkippableFact]
    public void A_link_stays_and_what_it_leads_to_is_written()
    {
        Skip.If(OperatingSystem.IsWindows(), "links need rights there");
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.In("target"), "old");
        File.CreateSymbolicLink(folder.In("link"), folder.In("target"));
        AtomicFile.RequireWritable(folder.In("link"));
        AtomicFile.WriteText(folder.In("link"), "new");
        Assert.Equal("new", File.ReadAllText(folder.In("target")));
        Assert.NotNull(new FileInfo(folder.In("link")).LinkTarget);
    }

    [SkippableFact]
    public void A_device_stays_a_device()
    {
        Skip.IfNot(File.Exists("/dev/null"), "there are no such devices");
        using var folder = new TemporaryFolder();
        File.CreateSymbolicLink(folder.In("link"), "/dev/null");
        foreach (var path in new[] { "/dev/null", folder.In("link") })
        {
            AtomicFile.RequireWritable(path);
            AtomicFile.WriteText(path, "gone");
            Assert.Equal("", File.ReadAllText("/dev/null"));
        }
    }
}
