namespace Apprentice.Cli.Commands;

/// <summary><c>keys</c>: who may ask the server.</summary>
internal static class KeysCommand
{
    public static Verb Create(Terminal terminal) => new(
        "keys", "Make, list and revoke the API keys of the server.", "apprentice keys add website")
    {
        KeysAddCommand.Create(terminal),
        KeysListCommand.Create(terminal),
        KeysRevokeCommand.Create(terminal),
    };
}
