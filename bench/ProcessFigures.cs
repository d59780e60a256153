using System.Diagnostics;
using System.Globalization;
using Apm.TestKit.Processes;

namespace Apm.Bench;

/// <summary>What the measured process has used.</summary>
internal static class ProcessFigures
{
    public static TimeSpan Cpu(this StandaloneProcess standalone)
    {
        using var process = Process.GetProcessById(standalone.ProcessId);
        return process.TotalProcessorTime;
    }

    public static double ResidentMiB(this StandaloneProcess standalone) => StatusKiB(standalone, "VmRSS:") / 1024;

    public static double PeakResidentMiB(this StandaloneProcess standalone) => StatusKiB(standalone, "VmHWM:") / 1024;

    public static long StoredBytes(this StandaloneProcess standalone, string folder)
    {
        var path = Path.Combine(standalone.DataDirectory, folder);
        return Directory.Exists(path) ? new DirectoryInfo(path).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length) : 0;
    }

    private static double StatusKiB(StandaloneProcess standalone, string name) =>
        double.Parse(File.ReadLines($"/proc/{standalone.ProcessId}/status").First(line => line.StartsWith(name, StringComparison.Ordinal)).Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
}
