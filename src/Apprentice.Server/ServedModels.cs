using Apprentice.Data;
using Apprentice.Models.Generation;
using Apprentice.Server.Contracts;

namespace Apprentice.Server;

/// <summary>The models that are served, by name.</summary>
internal sealed class ServedModels : IDisposable
{
    private readonly List<ServedModel> _models = [];

    /// <exception cref="InputException">A model cannot be loaded, or two have the same name.</exception>
    public ServedModels(IReadOnlyList<ModelToServe> models, BatchOptions options)
    {
        try
        {
            if (models.GroupBy(m => m.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
            {
                throw new InputException("bad_option", $"two models are to be called '{twice.Key}'", hint: "give one of them another name: NAME=MODEL");
            }

            foreach (var model in models)
            {
                _models.Add(new ServedModel(model, options));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public IReadOnlyList<ServedModel> All => _models;

    /// <exception cref="ApiException">404.</exception>
    public ServedModel Find(string name) => _models.Find(m => m.Name == name) ?? throw ApiException.Model(name);

    public void Dispose() => _models.ForEach(m => m.Dispose());
}
