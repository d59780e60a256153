using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Apm.Bench;

/// <summary>The product as its users run it, in a process of its own with a data directory of its own, stopped and removed at the end.</summary>
internal sealed class StandaloneProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _dataDirectory;
    private readonly bool _ownsData;

    private StandaloneProcess(Process process, string dataDirectory, bool ownsData, int port, TimeSpan readyAfter)
    {
        _process = process;
        _dataDirectory = dataDirectory;
        _ownsData = ownsData;
        Port = port;
        ReadyAfter = readyAfter;
        Client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}/"), Timeout = TimeSpan.FromMinutes(2) };
    }

    public int Port { get; }

    public HttpClient Client { get; }

    public TimeSpan ReadyAfter { get; }

    public string DataDirectory => _dataDirectory;

    public TimeSpan Cpu
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    public double ResidentMiB
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64 / 1048576.0;
        }
    }

    public double PeakResidentMiB
    {
        get
        {
            // PeakWorkingSet64 is not kept current on Linux; VmHWM is.
            var line = File.ReadLines($"/proc/{_process.Id}/status").FirstOrDefault(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? ResidentMiB : double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
        }
    }

    public long StoredBytes(string folder)
    {
        var path = Path.Combine(_dataDirectory, folder);
        return Directory.Exists(path) ? new DirectoryInfo(path).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length) : 0;
    }

    public static async Task<StandaloneProcess> StartAsync(string? dataDirectory = null)
    {
        var assembly = FindStandalone();
        var ownsData = dataDirectory is null;
        dataDirectory ??= Directory.CreateTempSubdirectory("apm-bench-").FullName;
        var port = FreePort();
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        string[] arguments =
        [
            assembly, "--data", dataDirectory, "--Listen:Port", port.ToString(CultureInfo.InvariantCulture), "--Receivers:OtlpGrpc:Enabled", "false", "--Receivers:OtlpHttp:Enabled", "false",
        ];
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }
        var watch = Stopwatch.StartNew();
        var process = Process.Start(start)!;
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var output = new List<string>();
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
            if (line.Contains("Apm is ready", StringComparison.Ordinal))
            {
                ready.TrySetResult();
            }
        }
        process.OutputDataReceived += (_, e) => OnLine(e.Data);
        process.ErrorDataReceived += (_, e) => OnLine(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var exited = process.WaitForExitAsync();
        if (await Task.WhenAny(ready.Task, exited, Task.Delay(TimeSpan.FromMinutes(2))) != ready.Task)
        {
            lock (output)
            {
                throw new InvalidOperationException($"Standalone did not become ready:\n{string.Join('\n', output)}");
            }
        }
        return new StandaloneProcess(process, dataDirectory, ownsData, port, watch.Elapsed);
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (!_process.HasExited)
        {
            await KillAsync();
        }
        _process.Dispose();
        if (_ownsData)
        {
            Directory.Delete(_dataDirectory, recursive: true);
        }
    }

    private static string FindStandalone()
    {
        for (var directory = AppContext.BaseDirectory; directory is not null; directory = Path.GetDirectoryName(directory))
        {
            var candidate = Path.Combine(directory, "Standalone", "bin", "Release", "net10.0", "Apm.Standalone.dll");
            if (File.Exists(candidate))
            {
                return candidate;
            }
        }
        throw new InvalidOperationException("Build the product first: dotnet build Standalone -c Release");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
