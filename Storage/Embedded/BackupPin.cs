namespace Apm.Storage.Embedded;

/// <summary>A file of the store's folder that belongs to a backup. Its bytes never change.</summary>
/// <param name="Name">Below the folder.</param>
internal sealed record BackupFile(string Name, long Bytes);

/// <summary>
/// The store at an instant, held so that it can be copied while the engine runs on: no file of it is deleted before the pin is disposed. The files and
/// <see cref="Manifest"/> (written under <see cref="Embedded.Manifest.FileName"/>) make a folder that opens to exactly the rows that were in parts then;
/// what was in memory only is above the covered positions, in the buffer.
/// </summary>
internal sealed class BackupPin(PartSet parts, byte[] manifest, IReadOnlyList<BackupFile> files, long coveredSpans, long coveredLogs) : IDisposable
{
    private PartSet? _parts = parts;

    public IReadOnlyList<BackupFile> Files { get; } = files;

    /// <summary>A manifest that lists these files and nothing else.</summary>
    public byte[] Manifest { get; } = manifest;

    /// <summary>Buffer position up to which spans are in the files.</summary>
    public long CoveredSpans { get; } = coveredSpans;

    public long CoveredLogs { get; } = coveredLogs;

    public void Dispose() => Interlocked.Exchange(ref _parts, null)?.Release();
}
