using System.Globalization;

namespace Apm.Bench;

/// <summary>The command line. Immutable.</summary>
internal sealed record BenchArguments
{
    public required string Name { get; init; }

    /// <summary>Items (spans, or log records) that are measured; 0: for as long as <see cref="Seconds"/> says.</summary>
    public long Spans { get; init; }

    public int Seconds { get; init; } = 30;

    /// <summary>Seconds of load before anything is measured: a process compiles its hot paths again and again while it is new.</summary>
    public int Warmup { get; init; } = 15;

    public int Connections { get; init; } = 8;

    /// <summary>Items of one request.</summary>
    public int Batch { get; init; } = 2_000;

    /// <summary>Items a second; 0: as fast as answers come.</summary>
    public double Rate { get; init; }

    public bool Gzip { get; init; }

    public bool Grpc { get; init; }

    /// <summary>With the attributes of <see cref="HarshAttributes"/>.</summary>
    public bool Harsh { get; init; }

    /// <summary>The time over which the telemetry happened, up to now; zero: it happens as it is sent.</summary>
    public TimeSpan Spread { get; init; }

    /// <summary>Queries of each kind.</summary>
    public int Repeats { get; init; } = 200;

    /// <summary>Sealing and merging are over when the process did next to nothing for so long.</summary>
    public double IdleSeconds { get; init; } = 2;

    /// <summary>What the prototype of docs/design takes on this machine now, for the gates that are ratios.</summary>
    public double? PrototypeSpansPerSecond { get; init; }

    /// <summary>The JSON goes here too.</summary>
    public string? Out { get; init; }

    /// <summary>Settings of the measured process, <c>Section:Key=Value</c>.</summary>
    public IReadOnlyList<string> Settings { get; init; } = [];

    /// <summary>What is left: for <c>micro</c>, the names of benchmarks.</summary>
    public IReadOnlyList<string> Rest { get; init; } = [];

    /// <exception cref="ArgumentException">Says what is wrong with the command line.</exception>
    public static BenchArguments Parse(string[] args)
    {
        var arguments = Defaults(args[0]);
        for (var i = 1; i < args.Length; i++)
        {
            var option = args[i];
            switch (option)
            {
                case "--gzip":
                    arguments = arguments with { Gzip = true };
                    break;
                case "--grpc":
                    arguments = arguments with { Grpc = true };
                    break;
                case "--harsh":
                    arguments = arguments with { Harsh = true };
                    break;
                case var _ when !option.StartsWith("--", StringComparison.Ordinal):
                    arguments = arguments with { Rest = [.. arguments.Rest, option] };
                    break;
                case var _ when i + 1 < args.Length:
                    arguments = arguments.With(option, args[++i]);
                    break;
                default:
                    throw new ArgumentException($"{option} is no option, or lacks its value");
            }
        }
        return arguments;
    }

    private static BenchArguments Defaults(string name)
    {
        var arguments = new BenchArguments { Name = name };
        return name switch
        {
            "gzip" => arguments with { Gzip = true, Spans = 3_000_000, Warmup = 10 },
            "query" => arguments with { Spans = 10_000_000, Spread = TimeSpan.FromHours(24), Warmup = 0 },
            "restart" => arguments with { Seconds = 20, Warmup = 0 },
            "start" => arguments with { Seconds = 30 },
            "merge" => arguments with { Spans = 2_000_000 },
            "retention" => arguments with { Spans = 3_000_000, Spread = TimeSpan.FromHours(72), Warmup = 0 },
            "logs" => arguments with { Spans = 10_000_000, Warmup = 10 },
            "overload" => arguments with { Connections = 64, Seconds = 60, Warmup = 5 },
            _ => arguments,
        };
    }

    private BenchArguments With(string option, string value) => option switch
    {
        "--spans" or "--records" => this with { Spans = Number<long>(option, value, 1) },
        "--seconds" => this with { Seconds = Number(option, value, 1), Spans = 0 },
        "--warmup" => this with { Warmup = Number(option, value, 0) },
        "--connections" => this with { Connections = Number(option, value, 1) },
        "--batch" => this with { Batch = Number(option, value, 1) },
        "--rate" => this with { Rate = Number<double>(option, value, 1) },
        "--repeats" => this with { Repeats = Number(option, value, 1) },
        "--idle-seconds" => this with { IdleSeconds = Number(option, value, 0.1) },
        "--prototype-spans-per-second" => this with { PrototypeSpansPerSecond = Number<double>(option, value, 1) },
        "--spread" => this with { Spread = Time(option, value) },
        "--out" => this with { Out = value },
        "--set" when value.Contains('=') => this with { Settings = [.. Settings, value] },
        _ => throw new ArgumentException($"{option} {value} is no option"),
    };

    private static T Number<T>(string option, string value, T least) where T : System.Numerics.INumber<T> =>
        T.TryParse(value, NumberStyles.Float | NumberStyles.AllowThousands, CultureInfo.InvariantCulture, out var number) && number >= least
            ? number
            : throw new ArgumentException($"{option} is '{value}'; it must be a number, at least {least}");

    /// <summary>A number and h, m or s.</summary>
    private static TimeSpan Time(string option, string value)
    {
        if (value.Length > 1 && double.TryParse(value[..^1], NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= 0)
        {
            switch (value[^1])
            {
                case 'h': return TimeSpan.FromHours(number);
                case 'm': return TimeSpan.FromMinutes(number);
                case 's': return TimeSpan.FromSeconds(number);
            }
        }
        throw new ArgumentException($"{option} is '{value}'; it must be a time such as 24h, 90m or 10s");
    }
}
