using System.Globalization;

namespace Apm.Shop;

/// <summary>What one process of the shop was told on its command line.</summary>
internal sealed record ShopOptions
{
    public const string Usage = """
        A small shop of several services, as real input for Apm.

          --role NAME         all (default): starts every role as a process of its own and serves the control page;
                              or one of storefront, cart, catalog, payments, shipping, recommendation, bank, load
          --otlp URL          where the services send OTLP/gRPC (default http://localhost:4317)
          --port-base PORT    control page on PORT, the services on the ports after it (default 9700); a port that is taken is replaced by a free one
          --rate N            requests a second of the load generator (default 20)
          --story-after TIME  roll out payments v2.14.0 by itself after this time, for example 00:02:00 (default: never)
          --data DIR          where the SQLite files lie (default: a temporary folder, removed at exit)
          --watch-stdin       exit when standard input closes (set by whoever starts the shop as its child)
        """;

    public string Role { get; init; } = "all";
    public string Otlp { get; init; } = "http://localhost:4317";
    public int PortBase { get; init; } = 9700;
    public double RequestsPerSecond { get; init; } = 20;
    public TimeSpan? StoryAfter { get; init; }
    public string? DataDirectory { get; init; }
    public bool WatchStdin { get; init; }

    // For the processes that the control process starts.
    public string Version { get; init; } = "1.0.0";
    public int Port { get; init; }
    public string Control { get; init; } = "";
    /// <summary>"cart=9701,catalog=9702": where each role listens.</summary>
    public IReadOnlyDictionary<string, int> Ports { get; init; } = new Dictionary<string, int>();

    /// <exception cref="FormatException">An argument is unknown or its value wrong; the message says which.</exception>
    public static ShopOptions Parse(string[] arguments)
    {
        var options = new ShopOptions();
        for (var i = 0; i < arguments.Length; i++)
        {
            var name = arguments[i];
            if (name == "--watch-stdin")
            {
                options = options with { WatchStdin = true };
                continue;
            }
            var value = ++i < arguments.Length ? arguments[i] : throw new FormatException($"{name} needs a value");
            options = name switch
            {
                "--role" => options with { Role = value },
                "--otlp" => options with { Otlp = Uri.TryCreate(value, UriKind.Absolute, out _) ? value : throw new FormatException($"--otlp '{value}' is not a URL") },
                "--port-base" => options with { PortBase = Number(name, value) },
                "--rate" => double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var rate) && rate is > 0 and <= 1000
                    ? options with { RequestsPerSecond = rate } : throw new FormatException($"--rate '{value}' is not a number from 0 to 1000"),
                "--story-after" => TimeSpan.TryParse(value, CultureInfo.InvariantCulture, out var time)
                    ? options with { StoryAfter = time } : throw new FormatException($"--story-after '{value}' is not a time such as 00:02:00"),
                "--data" => options with { DataDirectory = value },
                "--version" => options with { Version = value },
                "--port" => options with { Port = Number(name, value) },
                "--control" => options with { Control = value },
                "--ports" => options with { Ports = value.Split(',').Select(pair => pair.Split('=')).ToDictionary(pair => pair[0], pair => Number(name, pair[1])) },
                _ => throw new FormatException($"unknown argument {name}"),
            };
        }
        return options;
    }

    private static int Number(string name, string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and < 65536
            ? number : throw new FormatException($"{name} '{value}' is not a port");
}
