using Apprentice.Data;

namespace Apprentice.Models.Registry;

/// <summary>
/// The small base model that comes with the command, a GGUF file beside it; programs of others copy it to the same place beside themselves. Its model reference is its name, so a run or
/// an adapter made from it can be used wherever the program is installed.
/// </summary>
public static class BuiltInModel
{
    /// <summary>What a user writes where a model is asked for.</summary>
    public const string Name = "base";

    /// <summary>Of its weights and tokenizer.</summary>
    public const string License = "Apache-2.0";

    /// <summary>The file, whether it is there or not.</summary>
    public static string File { get; } = Path.Combine(AppContext.BaseDirectory, "Base", "apprentice-base.gguf");

    /// <summary>The file where the reference is the built-in model's name, else null.</summary>
    /// <exception cref="InputException">Code <c>ambiguous_model</c> or <c>base_not_installed</c>.</exception>
    internal static string? Find(string reference)
    {
        if (reference != Name)
        {
            return null;
        }

        if (Path.Exists(Name))
        {
            throw new InputException("ambiguous_model", $"'{Name}' is the built-in model, and there is something of that name here, too", Name,
                hint: $"write ./{Name} for what is here, or call the command from another folder for the built-in model");
        }

        return System.IO.File.Exists(File) ? File
            : throw new InputException("base_not_installed", "the built-in base model is not beside the program", File,
                hint: "install the program again, or name another model; a program of your own has it where you copy it to this place");
    }
}
