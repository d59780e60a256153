using System.Globalization;
using Apm.Bench;

const string Usage = """
    dotnet run --project bench -c Release -- NAME [--spans N] [--connections N] [--gzip]

      ingest   spans a second over OTLP/HTTP, acknowledged after fdatasync, counted back (default 2,000,000 spans)
      query    latencies of queries over HTTP with the spans stored (default 3,000,000 spans)
      start    time to ready, idle memory, restart after kill -9 (default 500,000 spans)
    """;

if (args.Length == 0 || args[0] is "--help" or "-h")
{
    Console.WriteLine(Usage);
    return 0;
}
var bench = args[0];
var arguments = new BenchArguments(bench switch { "query" => 3_000_000, "start" => 500_000, _ => 2_000_000 }, 8, false);
for (var i = 1; i < args.Length; i++)
{
    switch (args[i])
    {
        case "--spans" when i + 1 < args.Length:
            arguments = arguments with { Spans = long.Parse(args[++i], CultureInfo.InvariantCulture) };
            break;
        case "--connections" when i + 1 < args.Length:
            arguments = arguments with { Connections = int.Parse(args[++i], CultureInfo.InvariantCulture) };
            break;
        case "--gzip":
            arguments = arguments with { Gzip = true };
            break;
        default:
            Console.Error.WriteLine($"unknown argument {args[i]}\n\n{Usage}");
            return 2;
    }
}
switch (bench)
{
    case "ingest": return await IngestBench.RunAsync(arguments);
    case "query": return await QueryBench.RunAsync(arguments);
    case "start": return await StartBench.RunAsync(arguments);
    default:
        Console.Error.WriteLine($"there is no bench '{bench}'\n\n{Usage}");
        return 2;
}

namespace Apm.Bench
{
    internal sealed record BenchArguments(long Spans, int Connections, bool Gzip);
}
