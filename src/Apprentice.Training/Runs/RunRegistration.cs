using System.Text;
using Apprentice.Data;
using Apprentice.Models.Registry;

namespace Apprentice.Training.Runs;

/// <summary>Makes the model of a finished run known by its id, <c>ft:BASE:SUFFIX:ID</c>, as OpenAI's API forms such ids.</summary>
public static class RunRegistration
{
    private const string Prefix = "ft:";

    /// <summary>Registers it. Another id that leads to the same folder, of a run that was there before, is forgotten: it would name the wrong model.</summary>
    /// <param name="path">The folder of a run that has succeeded.</param>
    /// <param name="registry">Null: the user's.</param>
    /// <exception cref="InputException">It is no run with a model, or the registry cannot be read or written.</exception>
    public static RegisteredModel Register(string path, ModelRegistry? registry = null)
    {
        registry ??= new ModelRegistry();
        using var run = RunFolder.Open(path);
        var model = RegisteredModel.Of(NameOf(run), path);
        registry.Add(model with { Source = model.Path }, replace: true);
        foreach (var other in registry.List().Where(m => m.Path == model.Path && m.Name != model.Name && m.Name.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            registry.Remove(other.Name);
        }

        return model;
    }

    /// <summary>The id that the run got when it was finished.</summary>
    public static string NameOf(RunFolder run) => (File.Exists(run.SummaryFile) ? run.ReadSummary().Model : null) ?? IdOf(run);

    /// <summary>
    /// The same whenever the run is resumed, and another for every recipe, data and place: its last part is a hash of recipe, lock and
    /// folder.
    /// </summary>
    internal static string IdOf(RunFolder run)
    {
        var recipe = run.ReadRecipe();
        var path = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(run.Path));
        var hash = Sha256.Hash($"{path}\n{File.ReadAllText(run.RecipeFile)}\n{File.ReadAllText(run.LockFile)}");
        return $"{Prefix}{BaseName(recipe.Model ?? "")}:{recipe.Suffix}:{Letters(hash)}";
    }

    /// <summary>A short plain name of the base: its file's, its folder's or its registered one.</summary>
    private static string BaseName(string model) =>
        ModelName.Part(System.IO.Path.Exists(model) ? ModelName.OfPath(System.IO.Path.GetFullPath(model)) : model) ?? "model";

    /// <summary>40 bits as eight letters and digits that cannot be taken for one another (RFC 4648, base 32).</summary>
    private static string Letters(byte[] hash)
    {
        const int Length = 8;
        var text = new StringBuilder(Length);
        for (var i = 0; i < Length; i++)
        {
            var bit = 5 * i;
            var pair = (hash[bit / 8] << 8) | hash[bit / 8 + 1];
            text.Append("abcdefghijklmnopqrstuvwxyz234567"[(pair >> (11 - bit % 8)) & 31]);
        }

        return text.ToString();
    }
}
