using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Apprentice.Cli;

/// <summary>A command whose help ends in an example that can be copied.</summary>
internal sealed class Verb : Command
{
    public Verb(string name, string description, string example)
        : base(name, description)
    {
        Example = example;
        Validators.Add(result =>
        {
            if ((Usage.UnknownOption(result) ?? Usage.EmptyName(result)) is { } wrong)
            {
                result.AddError(wrong);
            }
        });
    }

    private string Example { get; }

    /// <summary>Help as System.CommandLine writes it, then the example.</summary>
    public sealed class Help(HelpAction standard) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            var exit = standard.Invoke(parseResult);
            if (parseResult.CommandResult.Command is Verb verb)
            {
                parseResult.InvocationConfiguration.Output.WriteLine($"Example:\n  {verb.Example.Replace("\n", "\n  ", StringComparison.Ordinal)}\n");
            }

            return exit;
        }
    }
}
