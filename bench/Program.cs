using Apm.Bench;

const string Usage = """
    dotnet run --project bench -c Release -- NAME [options]

      ingest     spans a second over OTLP, acknowledged after fdatasync, counted back
      gzip       the same with compressed bodies
      mixed      the same with five queries a second beside
      logs       the same for log records, and searches of them
      query      latencies of queries over HTTP with the spans stored
      restart    kill -9 under load, time to ready, everything counted
      merge      parts joined into one, in this process: rate, CPU, bytes before and after
      retention  how soon and at what cost old spans are dropped, whole days and a service
      overload   far more than is taken, from senders that do not wait: memory, refusals
      micro      codecs, decoding, sealing and the like, by name: micro IntColumn Lz
      start      time to ready, idle memory

    Options; each bench has its own defaults:
      --spans N (--records N)   items that are measured
      --seconds N               or the time that is
      --warmup N                seconds of load before it
      --connections N           requests in flight (8)
      --batch N                 items of a request (2000)
      --rate N                  items a second, rather than as many as are taken
      --gzip, --grpc, --harsh   compressed; OTLP/gRPC; high-cardinality attributes
      --spread 24h              the telemetry happened over this time, not now
      --repeats N               queries of each kind (200)
      --idle-seconds N          how long sealing and merging must have had nothing to do (2)
      --set Section:Key=Value   a setting of the measured process, as often as wanted
      --prototype-spans-per-second N   what the gates that are ratios refer to
      --out FILE                the JSON is appended to it
    """;

if (args.Length == 0 || args[0] is "--help" or "-h")
{
    Console.WriteLine(Usage);
    return 0;
}
try
{
    var arguments = BenchArguments.Parse(args);
    var report = new Report(arguments, $"bench {string.Join(' ', args)}");
    switch (arguments.Name)
    {
        case "ingest" or "gzip":
            await IngestBench.RunAsync(arguments, report);
            break;
        case "logs":
            await LogsBench.RunAsync(arguments, report);
            break;
        case "mixed":
            await MixedBench.RunAsync(arguments, report);
            break;
        case "overload":
            await OverloadBench.RunAsync(arguments, report);
            break;
        case "retention":
            await RetentionBench.RunAsync(arguments, report);
            break;
        case "merge":
            MergeBench.Run(arguments, report);
            break;
        case "micro":
            MicroBench.Run(arguments);
            return 0;
        case "query":
            await QueryBench.RunAsync(arguments, report);
            break;
        case "restart":
            await RestartBench.RunAsync(arguments, report);
            break;
        case "start":
            await StartBench.RunAsync(arguments, report);
            break;
        default:
            throw new ArgumentException($"there is no bench '{arguments.Name}'");
    }
    report.Print();
    return 0;
}
catch (ArgumentException e)
{
    await Console.Error.WriteLineAsync($"{e.Message}\n\n{Usage}");
    return 2;
}
