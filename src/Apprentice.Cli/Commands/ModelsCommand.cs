namespace Apprentice.Cli.Commands;

/// <summary><c>models</c>: which models are known by a name, and what there is to know of one without using it.</summary>
internal static class ModelsCommand
{
    public static Verb Create(Terminal terminal) => new(
        "models", "Add, list, look at and remove models.", "apprentice models add base.gguf --name smol\napprentice models list")
    {
        ModelsAddCommand.Create(terminal),
        ModelsListCommand.Create(terminal),
        ModelsRemoveCommand.Create(terminal),
        ModelsShowCommand.Create(terminal),
    };
}
