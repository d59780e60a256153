namespace Apm.Standalone.Tools;

/// <summary>The command line of a tool, read. Immutable.</summary>
/// <param name="Operands">Directories, in the order given.</param>
internal sealed record ToolArguments(Tool Tool, IReadOnlyList<string> Operands, string? PartId, bool Json, bool Force)
{
    public const string Usage = """
        Commands; a server may run on DIR meanwhile, but for restore:
          inspect DIR [--part ID] [--json]   parts, columns and files, and what each takes; of one part also how it is encoded
          verify DIR [--json]                checks every checksum and every index; exit code 1 when something is wrong. DIR may be a backup
          backup DIR TO                      copies the data to TO; again: only what is new. What was acknowledged before it began is in it
          restore FROM DIR [--force]         makes DIR the data directory that was backed up; --force replaces the data in it
        """;

    /// <summary>Null when the command line begins with no command.</summary>
    public static ToolArguments? Parse(IReadOnlyList<string> args, List<string> errors)
    {
        if (args.Count == 0 || !Enum.TryParse<Tool>(args[0], ignoreCase: true, out var tool) || args[0].Any(letter => !char.IsAsciiLetterLower(letter)))
        {
            return null;
        }
        var operands = new List<string>();
        string? part = null;
        var (json, force) = (false, false);
        for (var i = 1; i < args.Count; i++)
        {
            switch (args[i])
            {
                case "--json" when tool is Tool.Inspect or Tool.Verify:
                    json = true;
                    break;
                case "--force" when tool == Tool.Restore:
                    force = true;
                    break;
                case "--part" when tool == Tool.Inspect && i + 1 < args.Count:
                    part = args[++i];
                    break;
                case "--part" when tool == Tool.Inspect:
                    errors.Add("--part needs a value: --part ID, as in the list of parts.");
                    break;
                case var argument when argument.StartsWith('-'):
                    errors.Add($"unknown argument '{argument}'; use: {UsageOf(tool)}");
                    break;
                case var operand:
                    operands.Add(operand);
                    break;
            }
        }
        var wanted = tool is Tool.Backup or Tool.Restore ? 2 : 1;
        if (operands.Count != wanted)
        {
            errors.Add($"{args[0]} takes {(wanted == 1 ? "one directory" : "two directories")}, not {operands.Count}; use: {UsageOf(tool)}");
        }
        return new ToolArguments(tool, operands, part, json, force);
    }

    private static string UsageOf(Tool tool) => tool switch
    {
        Tool.Inspect => "inspect DIR [--part ID] [--json]",
        Tool.Verify => "verify DIR [--json]",
        Tool.Backup => "backup DIR TO",
        _ => "restore FROM DIR [--force]",
    };
}

internal enum Tool
{
    Inspect,
    Verify,
    Backup,
    Restore,
}
