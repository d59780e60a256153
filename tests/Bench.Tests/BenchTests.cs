using System.Diagnostics;
using System.Text.Json;

namespace Apm.Bench.Tests;

/// <summary>Each bench for a second or two, so that none rots: it runs, counts back what was acknowledged, and gives its figures. Nothing is said about how fast.</summary>
public sealed class BenchTests
{
    /// <summary>Longest wait for a bench: the machine may be busy with other tests.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    [Theory]
    [InlineData("ingest --spans 20000 --warmup 1 --harsh", "ingest", "acknowledgement, p50 / p95 / p99", "counted back, row by row")]
    [InlineData("ingest --seconds 1 --warmup 0 --grpc --rate 20000", "ingest", "peak resident memory", "counted back, row by row")]
    [InlineData("gzip --spans 20000 --warmup 0", "ingest", "wire size", "counted back, row by row")]
    [InlineData("mixed --seconds 2 --warmup 0", "queries asked after the warm-up", "counted back, row by row")]
    [InlineData("logs --records 20000 --warmup 0 --repeats 1", "frequent phrase, newest 50, p50 / p95 / p99", "counted back, row by row")]
    [InlineData("query --spans 20000 --repeats 1", "trace by id, page cache cold, p50 / p95 / p99", "services page, 24 h, p50 / p95 / p99")]
    [InlineData("restart --seconds 1", "ready after the kill", "counted back, row by row")]
    [InlineData("start --seconds 1", "ready, empty data directory")]
    [InlineData("merge --spans 20000", "spans: after", "records: after")]
    [InlineData("overload --seconds 2 --warmup 0 --connections 2", "peak resident memory", "counted back, row by row")]
    public async Task Bench_ForAMoment_GivesItsFigures(string command, params string[] figures)
    {
        var (exitCode, output) = await RunAsync([.. command.Split(' '), "--idle-seconds", "0.3"]);
        Assert.True(exitCode == 0, output);
        using var json = JsonDocument.Parse(output.Split('\n').Last(line => line.StartsWith('{')));
        Assert.All(figures, figure => Assert.True(json.RootElement.GetProperty("figures").TryGetProperty(figure, out _), $"no '{figure}' in {output}"));
    }

    [Fact]
    public async Task Micro_ForAMoment_RunsEveryBenchmark()
    {
        var (exitCode, output) = await RunAsync(["micro", "--repeats", "1"]);
        Assert.True(exitCode == 0, output);
        Assert.All(new[] { "Bloom", "DurationHistogram", "IntColumn", "LzBlock", "Span", "ValueList" }, name => Assert.Contains($"| {name}Benchmarks", output, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("no-such-bench", "there is no bench 'no-such-bench'")]
    [InlineData("ingest --spans many", "--spans is 'many'; it must be a number, at least 1")]
    [InlineData("ingest --speed", "--speed is no option, or lacks its value")]
    public async Task CommandLine_Wrong_SaysWhat(string command, string message)
    {
        var (exitCode, output) = await RunAsync(command.Split(' '));
        Assert.Equal(2, exitCode);
        Assert.StartsWith(message, output, StringComparison.Ordinal);
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet", [FindAssembly(), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        using var timeout = new CancellationTokenSource(s_patience);
        try
        {
            await process.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
        }
        return (process.ExitCode, await error + await output);
    }

    /// <summary>The bench built beside these tests, in the same configuration.</summary>
    private static string FindAssembly()
    {
        var configuration = AppContext.BaseDirectory.Contains($"{Path.DirectorySeparatorChar}Release{Path.DirectorySeparatorChar}", StringComparison.Ordinal) ? "Release" : "Debug";
        for (var directory = AppContext.BaseDirectory; directory is not null; directory = Path.GetDirectoryName(directory))
        {
            if (File.Exists(Path.Combine(directory, "Apm.sln")))
            {
                return Path.Combine(directory, "bench", "bin", configuration, "net10.0", "Apm.bench.dll");
            }
        }
        throw new InvalidOperationException("no Apm.sln above the tests");
    }
}
