using Apprentice.Tensors;
using Apprentice.Tensors.Memory;

namespace Apprentice.Tests.Tensors.Memory;

public class MappedFileTests
{
    [Fact]
    public void A_link_is_the_file_it_leads_to()
    {
        var folder = Directory.CreateTempSubdirectory("mapped").FullName;
        try
        {
            var file = Path.Combine(folder, "weights.bin");
            File.WriteAllBytes(file, [.. new[] { 1f, 2, 3, 4 }.SelectMany(BitConverter.GetBytes)]);
            var link = File.CreateSymbolicLink(Path.Combine(folder, "l"), file).FullName;
            using var mapped = new MappedFile(link);
            Assert.Equal(16, mapped.Length);
            Assert.Equal([3f, 4], mapped.Weight("w", 8, StorageType.F32, 1, 2).ToArray());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
