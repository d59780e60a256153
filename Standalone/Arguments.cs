using Apm.ServiceDefaults.Settings;
using Apm.Standalone.Tools;

namespace Apm.Standalone;

/// <summary>The command line, read. Immutable.</summary>
internal sealed record Arguments
{
    public const string Usage = $"""
        Apm: traces and logs of your services, in one process.

          --data DIR             where the data lies (default: apm in your local application data folder)
          --demo                 runs a small shop beside it, as real input
          --help, --version
          --Section:Key VALUE    any setting of appsettings.json; as an environment variable it is Section__Key

        Send OTLP to localhost:4317 (gRPC) or localhost:4318 (HTTP); look at http://localhost:9618.

        {ToolArguments.Usage}
        """;

    /// <summary>What to print instead of running: the usage or the version; null to run.</summary>
    public string? Answer { get; private init; }

    /// <summary>The tool to run instead of the server; null to run the server.</summary>
    public ToolArguments? Tool { get; private init; }

    /// <summary>Settings in the order given, so that the last of a key wins.</summary>
    public IReadOnlyList<KeyValuePair<string, string?>> Settings { get; private init; } = [];

    /// <exception cref="SettingsException">Arguments are unknown or lack their value: a line for each.</exception>
    public static Arguments Parse(IReadOnlyList<string> args)
    {
        var settings = new List<KeyValuePair<string, string?>>();
        var errors = new List<string>();
        if (!args.Any(argument => argument is "--help" or "-h" or "-?") && ToolArguments.Parse(args, errors) is { } tool)
        {
            return errors.Count == 0 ? new Arguments { Tool = tool } : throw new SettingsException(errors);
        }
        for (var i = 0; i < args.Count; i++)
        {
            var equals = args[i].IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? args[i] : args[i][..equals];
            switch (name)
            {
                case "--help" or "-h" or "-?":
                    return new Arguments { Answer = Usage };
                case "--version":
                    return new Arguments { Answer = $"Apm {typeof(Arguments).Assembly.GetName().Version?.ToString(3)}" };
                case "--demo":
                    settings.Add(new("Demo:Enabled", "true"));
                    continue;
            }
            var key = name == "--data" ? "Data:Directory" : name.StartsWith("--", StringComparison.Ordinal) && name.Contains(':', StringComparison.Ordinal) ? name[2..] : null;
            if (key is null)
            {
                errors.Add($"unknown argument '{args[i]}'; there are --data DIR, --demo, --help, --version and --Section:Key VALUE, and the commands inspect, verify, backup and restore.");
            }
            else if (equals >= 0)
            {
                settings.Add(new(key, args[i][(equals + 1)..]));
            }
            else if (i + 1 < args.Count && !args[i + 1].StartsWith("--", StringComparison.Ordinal))
            {
                settings.Add(new(key, args[++i]));
            }
            else
            {
                errors.Add($"{name} needs a value: {name} {(name == "--data" ? "DIR" : "VALUE")}.");
            }
        }
        return errors.Count == 0 ? new Arguments { Settings = Last(settings) } : throw new SettingsException(errors);
    }

    private static List<KeyValuePair<string, string?>> Last(List<KeyValuePair<string, string?>> settings) =>
        [.. settings.GroupBy(setting => setting.Key, StringComparer.OrdinalIgnoreCase).Select(group => group.Last())];
}
