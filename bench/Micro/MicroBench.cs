using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Exporters.Json;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace Apm.Bench;

/// <summary>Runs the classes of this folder with BenchmarkDotNet, in this process, so that nothing is built or restored for it.</summary>
internal static class MicroBench
{
    public static void Run(BenchArguments arguments)
    {
        // A run that only shows that they work has no time for statistics.
        var job = arguments.Repeats < 10
            ? Job.Dry.WithToolchain(InProcessEmitToolchain.Instance)
            : Job.ShortRun.WithIterationCount(5).WithToolchain(InProcessEmitToolchain.Instance);
        var config = ManualConfig.CreateEmpty()
            .AddJob(job)
            .AddLogger(ConsoleLogger.Default)
            .AddColumnProvider(DefaultColumnProviders.Instance)
            .AddDiagnoser(MemoryDiagnoser.Default)
            .AddExporter(JsonExporter.Brief)
            .WithCultureInfo(CultureInfo.InvariantCulture)
            .WithArtifactsPath(Path.Combine(Path.GetTempPath(), "apm-bench-micro"))
            .WithOptions(ConfigOptions.DisableOptimizationsValidator | ConfigOptions.JoinSummary);
        string[] filters = arguments.Rest.Count == 0 ? ["*"] : [.. arguments.Rest.Select(name => $"*{name}*")];
        var summaries = BenchmarkSwitcher.FromAssembly(typeof(MicroBench).Assembly).Run(["--filter", .. filters], config).ToList();
        if (summaries.Count == 0 || summaries.Exists(summary => summary.HasCriticalValidationErrors || summary.Reports.Any(report => !report.Success)))
        {
            throw new InvalidOperationException("a benchmark failed, or none has such a name");
        }
    }
}
