using System.Diagnostics;
using Apm.TestKit.Processes;

namespace Apm.Faults;

/// <summary>A data directory on a file system of its own that fills up: the sender is told to retry, the process lives, and it recovers when there is room.</summary>
public sealed class FullDiskTests
{
    private const int DiskMiB = 48;

    /// <summary>Acknowledged traces that are fetched one by one; all are counted.</summary>
    private const int Samples = 300;

    [Fact]
    public async Task FullDisk_SenderIsToldToRetry_AndRecovers()
    {
        var directory = Directory.CreateTempSubdirectory("apm-full-").FullName;
        if (!await TryRunAsync("mount", "-t", "tmpfs", "-o", $"size={DiskMiB}m", "tmpfs", directory))
        {
            Directory.Delete(directory);
            Assert.Skip("a small file system cannot be mounted here (needs root)");
        }
        try
        {
            // Fills most of the disk before the product starts, so that it is full soon.
            var filler = Path.Combine(directory, "filler");
            await File.WriteAllBytesAsync(filler, new byte[(DiskMiB - 12) << 20]);
            await using var standalone = await StandaloneProcess.StartAsync(Path.Combine(directory, "data"), "--Buffer:SegmentBytes", "1048576", "--Storage:SealRows", "3000");
            var sender = new TraceSender(99);
            using var stop = new CancellationTokenSource();
            var sending = sender.RunAsync(standalone.Port, 4, stop.Token);
            Assert.True(await standalone.EventuallyAsync(_ => Task.FromResult(sender.Refused > 10), refused => refused, TimeSpan.FromSeconds(60)), "the disk did not fill");
            var acknowledgedWhenFull = sender.Acknowledged.Count;
            using (var live = await standalone.Client.GetAsync("health/live"))
            {
                live.EnsureSuccessStatusCode();
            }
            File.Delete(filler);
            Assert.True(await standalone.EventuallyAsync(_ => Task.FromResult(sender.Acknowledged.Count > acknowledgedWhenFull + 50), more => more, TimeSpan.FromSeconds(60)), "nothing was accepted after there was room again");
            await stop.CancelAsync();
            await sending;
            var expected = (long)sender.Acknowledged.Count * TraceSender.SpansPerTrace;
            Assert.InRange(await standalone.EventuallyAsync(KillTests.CountAllAsync, count => count >= expected), expected, expected + ((long)sender.Unknown.Count * TraceSender.SpansPerTrace));
            foreach (var id in sender.Acknowledged.Where((_, i) => i % (1 + (sender.Acknowledged.Count / Samples)) == 0))
            {
                Assert.Equal(TraceSender.SpansPerTrace, await standalone.EventuallyAsync(_ => KillTests.CountSpansAsync(standalone, id), count => count == TraceSender.SpansPerTrace));
            }
        }
        finally
        {
            await TryRunAsync("umount", "-l", directory);
            Directory.Delete(directory, recursive: true);
        }
    }

    private static async Task<bool> TryRunAsync(string command, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true })!;
            await process.WaitForExitAsync();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
