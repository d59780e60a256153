using System.Diagnostics;
using Apm.TestKit.Processes;

namespace Apm.Faults;

/// <summary>A data directory on a file system of its own that fills up: the sender is told to retry, the process lives, and it recovers when there is room.</summary>
public sealed class FullDiskTests
{
    private const int DiskMiB = 48;

    /// <summary>Longest wait for each step: the machine may be busy with other tests.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(120);

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
            var filler = Path.Combine(directory, "filler");
            await using var standalone = await StandaloneProcess.StartAsync(Path.Combine(directory, "data"), "--Buffer:SegmentBytes", "1048576", "--Storage:SealRows", "3000", "--Storage:MinFreeBytes", "0", "--Storage:MinFreePercent", "0");
            var sender = new TraceSender(99);
            using var stop = new CancellationTokenSource();
            var sending = sender.RunAsync(standalone.Port, 4, stop.Token);
            Assert.True(await standalone.EventuallyAsync(_ => Task.FromResult(sender.Acknowledged.Count), count => count > 50, s_patience) > 50, "nothing was accepted before the disk was full");
            // Topped up until the sender is refused: the product frees and reuses room of its own for a while.
            Assert.True(await standalone.EventuallyAsync(_ => FillAsync(filler, sender), refused => refused > 3, s_patience) > 3, "the disk did not fill");
            var acknowledgedWhenFull = sender.Acknowledged.Count;
            using (var live = await standalone.Client.GetAsync("health/live"))
            {
                live.EnsureSuccessStatusCode();
            }
            File.Delete(filler);
            Assert.True(await standalone.EventuallyAsync(_ => Task.FromResult(sender.Acknowledged.Count > acknowledgedWhenFull + 50), more => more, s_patience), "nothing was accepted after there was room again");
            await stop.CancelAsync();
            await sending;
            var expected = (long)sender.Acknowledged.Count * TraceSender.SpansPerTrace;
            Assert.InRange(await standalone.EventuallyAsync(StoredTraces.CountAllAsync, count => count >= expected), expected, expected + ((long)sender.Unknown.Count * TraceSender.SpansPerTrace));
            foreach (var id in sender.Acknowledged.Where((_, i) => i % (1 + (sender.Acknowledged.Count / Samples)) == 0))
            {
                Assert.Equal(TraceSender.SpansPerTrace, await standalone.EventuallyAsync(_ => StoredTraces.CountSpansAsync(standalone, id), count => count == TraceSender.SpansPerTrace));
            }
        }
        finally
        {
            await TryRunAsync("umount", "-l", directory);
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>Takes what room there is.</summary>
    private static async Task<int> FillAsync(string filler, TraceSender sender)
    {
        try
        {
            await using var stream = new FileStream(filler, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
            var block = new byte[64 << 10];
            while (true)
            {
                await stream.WriteAsync(block);
            }
        }
        catch (IOException)
        {
            // The disk is full.
        }
        return sender.Refused;
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
