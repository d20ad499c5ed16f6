using Apprentice.Data;
using Apprentice.Tensors;
using Apprentice.Tensors.Memory;

namespace Apprentice.Models.Weights;

/// <summary>
/// Where a model gets its weights: asked for by their Hugging Face names and shapes, which hides what kind of file they
/// lie in. The weights stay in the mapped files; the source must outlive them.
/// </summary>
public abstract class WeightSource : IDisposable
{
    private readonly Dictionary<string, MappedFile> _files = [];

    /// <summary>The file or folder, as the user named it.</summary>
    public abstract string Path { get; }

    public abstract bool Has(string name);

    /// <summary>The weight of that name.</summary>
    /// <exception cref="InputException">It is not there or has another shape.</exception>
    public abstract Weight Get(string name, params long[] shape);

    /// <summary>A matrix that Hugging Face's files have the other way round, as [columns, rows]; other files do not.</summary>
    /// <exception cref="InputException">It is not there or has another shape.</exception>
    public virtual Weight GetTurned(string name, long rows, long columns) => Get(name, rows, columns);

    /// <summary>The files that hold the weights, for a run's lock.</summary>
    public abstract IReadOnlyList<string> Files { get; }

    public void Dispose()
    {
        foreach (var file in _files.Values)
        {
            file.Dispose();
        }

        _files.Clear();
        GC.SuppressFinalize(this);
    }

    protected MappedFile Map(string path)
    {
        if (!_files.TryGetValue(path, out var file))
        {
            _files.Add(path, file = new MappedFile(path));
        }

        return file;
    }

    protected InputException Missing(string name) => new("missing_tensor", $"the model has no tensor '{name}'", Path);

    protected InputException WrongShape(string name, IEnumerable<long> actual, long[] expected) => new(
        "wrong_shape", $"tensor '{name}' is [{string.Join(", ", actual)}]; its configuration asks for [{string.Join(", ", expected)}]", Path);
}
