namespace Apprentice.Cli.Commands;

/// <summary><c>models</c>: what there is to know of a model without using it.</summary>
internal static class ModelsCommand
{
    public static Verb Create(Terminal terminal) => new(
        "models", "Look at models.", "apprentice models show base.gguf")
    {
        ModelsShowCommand.Create(terminal),
    };
}
