using System.Globalization;
using Apm.Telemetry;
using Apm.TestKit.Processes;

namespace Apm.Faults;

/// <summary>Backups of a real process under load: each holds all that was acknowledged before it began, and a killed one leaves the one before.</summary>
public sealed class BackupTests
{
    /// <summary>Backups taken; APM_BACKUP_ROUNDS makes it a long run by hand.</summary>
    private static readonly int Rounds = int.Parse(Environment.GetEnvironmentVariable("APM_BACKUP_ROUNDS") ?? "3", CultureInfo.InvariantCulture);

    private const int Connections = 2;

    [Fact]
    public async Task Backup_UnderLoad_HoldsAllThatWasAcknowledgedBefore()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var folder = Directory.CreateTempSubdirectory("apm-backup-").FullName;
        string data = Path.Combine(folder, "data"), backup = Path.Combine(folder, "backup"), restored = Path.Combine(folder, "restored");
        try
        {
            await using var standalone = await StandaloneProcess.StartAsync(data, KillTests.Settings);
            var sender = new TraceSender(7);
            using var stop = new CancellationTokenSource();
            var sending = sender.RunAsync(standalone.Port, Connections, stop.Token);
            var before = Array.Empty<TraceId>();
            for (var round = 0; round < Rounds; round++)
            {
                var wanted = before.Length + 400;
                await standalone.EventuallyAsync(_ => Task.FromResult(Count(sender)), count => count >= wanted, TimeSpan.FromSeconds(60));
                var acknowledged = Acknowledged(sender);
                await using (var killed = ToolProcess.Start("backup", data, backup))
                {
                    // About as long as a backup of this size takes, the program's start included.
                    await Task.Delay(random.Next(100, 900));
                    await killed.KillAsync();
                }
                if (round > 0)
                {
                    Assert.Equal((0, ""), Trimmed(await ToolProcess.RunAsync("verify", backup)));
                }
                var (exitCode, output) = await ToolProcess.RunAsync("backup", data, backup);
                Assert.True(exitCode == 0, $"seed {seed} round {round}: {output}");
                before = acknowledged;
            }
            await stop.CancelAsync();
            await sending;
            Assert.Equal((0, ""), Trimmed(await ToolProcess.RunAsync("verify", backup)));
            Assert.Equal((0, ""), Trimmed(await ToolProcess.RunAsync("verify", data)));
            var (restoreCode, said) = await ToolProcess.RunAsync("restore", backup, restored);
            Assert.True(restoreCode == 0, said);
            Assert.Equal((0, ""), Trimmed(await ToolProcess.RunAsync("verify", restored)));

            await using var copy = await StandaloneProcess.StartAsync(restored, KillTests.Settings);
            foreach (var id in before)
            {
                Assert.Equal(TraceSender.SpansPerTrace, await StoredTraces.CountSpansAsync(copy, id));
            }
            var all = await StoredTraces.CountAllAsync(copy.Client);
            Assert.InRange(all, before.Length * TraceSender.SpansPerTrace, (sender.Acknowledged.Count + sender.Unknown.Count) * TraceSender.SpansPerTrace);
            Assert.Equal(0, all % TraceSender.SpansPerTrace);
            TestContext.Current.SendDiagnosticMessage($"{Rounds} backups and as many killed; {before.Length} traces acknowledged before the last, {all / TraceSender.SpansPerTrace} in it; {said}");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Restore_DirectoryInUseOrNotEmpty_IsRefused()
    {
        var folder = Directory.CreateTempSubdirectory("apm-restore-").FullName;
        string data = Path.Combine(folder, "data"), backup = Path.Combine(folder, "backup"), other = Path.Combine(folder, "other");
        try
        {
            await using (var standalone = await StandaloneProcess.StartAsync(data, KillTests.Settings))
            {
                var (code, said) = await ToolProcess.RunAsync("backup", data, backup);
                Assert.True(code == 0, said);
                AssertRefused(await ToolProcess.RunAsync("restore", backup, data, "--force"), 2, $"is in use by process {standalone.ProcessId}");
                AssertRefused(await ToolProcess.RunAsync("backup", data, data + "/x"), 2, "lie in each other");
            }
            AssertRefused(await ToolProcess.RunAsync("restore", backup, data), 2, "is not empty", "--force replaces the data in it");
            AssertRefused(await ToolProcess.RunAsync("restore", folder, other), 1, "it holds no backup");
            AssertRefused(await ToolProcess.RunAsync("backup", data, folder), 2, "lie in each other");
            AssertRefused(await ToolProcess.RunAsync("backup", backup, other), 2, "There is no store here");
            Directory.CreateDirectory(Path.Combine(folder, "docs", "mine"));
            AssertRefused(await ToolProcess.RunAsync("restore", backup, Path.Combine(folder, "docs"), "--force"), 2, "is not empty and no data directory");
            AssertRefused(await ToolProcess.RunAsync("backup", data, Path.Combine(folder, "docs")), 2, "holds no backup ('mine' is in it)");
            Assert.Equal(0, (await ToolProcess.RunAsync("restore", backup, data, "--force")).ExitCode);
            // A damaged backup replaces nothing.
            var manifest = Directory.GetFiles(backup, "manifest", SearchOption.AllDirectories).Single();
            var bytes = await File.ReadAllBytesAsync(manifest);
            bytes[20] ^= 1;
            await File.WriteAllBytesAsync(manifest, bytes);
            AssertRefused(await ToolProcess.RunAsync("restore", backup, data, "--force"), 1, "nothing was replaced", "store/manifest at byte 0: the checksum of the file does not match");
            AssertRefused(await ToolProcess.RunAsync("restore", backup, other), 1, "is damaged in the backup");
            // What is left is not whole, and no server starts on it.
            AssertRefused(await ToolProcess.RunAsync("--data", other), 2, "was not finished");
            Assert.Equal((0, ""), Trimmed(await ToolProcess.RunAsync("verify", data)));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void AssertRefused((int ExitCode, string Output) run, int code, params string[] messages)
    {
        Assert.True(run.ExitCode == code, $"exit code {run.ExitCode}: {run.Output}");
        Assert.All(messages, message => Assert.Contains(message, run.Output, StringComparison.Ordinal));
        Assert.DoesNotContain("   at ", run.Output, StringComparison.Ordinal);
    }

    /// <summary>Without the last line when that says that all is well.</summary>
    private static (int ExitCode, string Output) Trimmed((int ExitCode, string Output) run) => (run.ExitCode, run.Output.EndsWith("all is well.\n", StringComparison.Ordinal) ? "" : run.Output);

    private static int Count(TraceSender sender)
    {
        lock (sender.Acknowledged)
        {
            return sender.Acknowledged.Count;
        }
    }

    private static TraceId[] Acknowledged(TraceSender sender)
    {
        lock (sender.Acknowledged)
        {
            return [.. sender.Acknowledged];
        }
    }
}
