using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Apm.TestKit.Processes;

/// <summary>
/// The product started as a user would, in a process of its own with free ports and a data directory of its own. Disposing it kills the process and
/// removes the directory, unless the directory was given.
/// </summary>
internal sealed class StandaloneProcess : IAsyncDisposable
{
    /// <summary>Longest wait for a start: the machine may be busy with other tests.</summary>
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90);

    private readonly Process _process;
    private readonly bool _ownsDirectory;
    private readonly List<string> _output;

    private StandaloneProcess(Process process, string directory, bool ownsDirectory, List<string> output, int port, int grpcPort, int httpPort)
    {
        _process = process;
        _ownsDirectory = ownsDirectory;
        _output = output;
        DataDirectory = directory;
        Port = port;
        GrpcPort = grpcPort;
        HttpPort = httpPort;
        Client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}/"), Timeout = TimeSpan.FromMinutes(1) };
    }

    public string DataDirectory { get; }

    /// <summary>UI, API and OTLP/HTTP.</summary>
    public int Port { get; }

    public int GrpcPort { get; }

    public int HttpPort { get; }

    public HttpClient Client { get; }

    public int ProcessId => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>From the process's start to the line that says it is ready.</summary>
    public TimeSpan ReadyAfter { get; private set; }

    public string Output
    {
        get
        {
            lock (_output)
            {
                return string.Join('\n', _output);
            }
        }
    }

    public static async Task<StandaloneProcess> StartAsync(string? dataDirectory = null, params string[] settings)
    {
        var ownsDirectory = dataDirectory is null;
        dataDirectory ??= Directory.CreateTempSubdirectory("apm-test-").FullName;
        int port = FreePort(), grpcPort = FreePort(), httpPort = FreePort();
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        string[] arguments =
        [
            FindAssembly(), "--data", dataDirectory, "--Listen:Port", Text(port), "--Receivers:OtlpGrpc:Port", Text(grpcPort), "--Receivers:OtlpHttp:Port", Text(httpPort), .. settings,
        ];
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }
        var process = new Process { StartInfo = start };
        var output = new List<string>();
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void OnLine(string? line)
        {
            if (line is null)
            {
                return;
            }
            lock (output)
            {
                output.Add(line);
            }
            if (line.StartsWith("Apm is ready", StringComparison.Ordinal))
            {
                ready.TrySetResult();
            }
        }
        process.OutputDataReceived += (_, e) => OnLine(e.Data);
        process.ErrorDataReceived += (_, e) => OnLine(e.Data);
        var watch = Stopwatch.StartNew();
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var standalone = new StandaloneProcess(process, dataDirectory, ownsDirectory, output, port, grpcPort, httpPort);
        if (await Task.WhenAny(ready.Task, process.WaitForExitAsync(), Task.Delay(StartLimit)) != ready.Task)
        {
            var text = standalone.Output;
            await standalone.DisposeAsync();
            throw new InvalidOperationException($"Standalone did not become ready:\n{text}");
        }
        standalone.ReadyAfter = watch.Elapsed;
        return standalone;
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGTERM, as a service's stop; completes when the process has ended.</summary>
    public async Task StopAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", Text(_process.Id)]);
        await _process.WaitForExitAsync();
    }

    /// <summary>Asks the query until it answers as wanted; the promise is that what was acknowledged is visible within a second.</summary>
    public async Task<T> EventuallyAsync<T>(Func<HttpClient, Task<T>> query, Func<T, bool> wanted, TimeSpan? within = null)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            var answer = await query(Client);
            if (wanted(answer) || watch.Elapsed > (within ?? TimeSpan.FromSeconds(10)))
            {
                return answer;
            }
            await Task.Delay(20);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }
        _process.Dispose();
        if (_ownsDirectory)
        {
            Directory.Delete(DataDirectory, recursive: true);
        }
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>The host built beside these tests, in the same configuration.</summary>
    internal static string FindAssembly()
    {
        var configuration = AppContext.BaseDirectory.Contains($"{Path.DirectorySeparatorChar}Release{Path.DirectorySeparatorChar}", StringComparison.Ordinal) ? "Release" : "Debug";
        for (var directory = AppContext.BaseDirectory; directory is not null; directory = Path.GetDirectoryName(directory))
        {
            if (File.Exists(Path.Combine(directory, "Apm.sln")))
            {
                return Path.Combine(directory, "Standalone", "bin", configuration, "net10.0", "Apm.Standalone.dll");
            }
        }
        throw new InvalidOperationException("no Apm.sln above the tests");
    }

    private static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);
}
