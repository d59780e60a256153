using System.Globalization;
using System.Text.Json;
using Apm.DurableBuffer.Embedded;
using Apm.Storage.Embedded;
using Apm.Storage.Embedded.Tools;
using Apm.Telemetry.Files;

namespace Apm.Standalone.Tools;

/// <summary><c>verify</c>: everything on the disk checked against everything else; a line for each finding.</summary>
internal static class VerifyTool
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static int Run(ToolArguments arguments, TextWriter output, CancellationToken cancellationToken)
    {
        var files = new DiskFileSystem(ToolRun.Existing(arguments.Operands[0]));
        if (files.FileExists(BackupListing.FileName))
        {
            return VerifyBackup(arguments, files, output, cancellationToken);
        }
        var parts = 0;
        var findings = new List<FileFinding>(StoreVerification.Run(files, EmbeddedStoreRegistration.FolderName, new Counter(count => parts = count), cancellationToken));
        var log = LogInspection.Read(files, EmbeddedBufferRegistration.FolderName);
        findings.AddRange(log.Findings);
        if (arguments.Json)
        {
            output.WriteLine(JsonSerializer.Serialize(new { Parts = parts, Segments = log.Segments.Count, Findings = findings }, s_json));
        }
        else
        {
            findings.ForEach(finding => output.WriteLine($"damaged: {finding}"));
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{parts} parts and {log.Segments.Count} buffer segments checked: {(findings.Count == 0 ? "all is well" : $"{findings.Count} findings")}."));
        }
        return findings.Count == 0 ? ToolRun.Fine : ToolRun.Wrong;
    }

    private static int VerifyBackup(ToolArguments arguments, DiskFileSystem files, TextWriter output, CancellationToken cancellationToken)
    {
        BackupReader backup;
        try
        {
            backup = BackupReader.Open(files);
        }
        catch (InvalidDataException wrong)
        {
            throw new IOException($"'{files.Root}': {wrong.Message}", wrong);
        }
        var findings = backup.Listing.Files.Where(file => !file.IsSound).Select(file => new FileFinding(file.Stored, 0, "it was damaged when it was copied")).Concat(backup.Verify(cancellationToken)).ToList();
        if (arguments.Json)
        {
            output.WriteLine(JsonSerializer.Serialize(new { Files = backup.Listing.Files.Count, backup.Listing.BegunAt, Findings = findings }, s_json));
        }
        else
        {
            findings.ForEach(finding => output.WriteLine($"damaged: {finding}"));
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{backup.Listing.Files.Count} files of the backup begun at {backup.Listing.BegunAt:yyyy-MM-dd'T'HH:mm:ss'Z'} checked: {(findings.Count == 0 ? "all is well" : $"{findings.Count} findings")}."));
        }
        return findings.Count == 0 ? ToolRun.Fine : ToolRun.Wrong;
    }

    /// <summary>Counts as it happens; <see cref="Progress{T}"/> would call back later, on another thread.</summary>
    private sealed class Counter(Action<int> count) : IProgress<(int Checked, int All)>
    {
        public void Report((int Checked, int All) value) => count(value.Checked);
    }
}
