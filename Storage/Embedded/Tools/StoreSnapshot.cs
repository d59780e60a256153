using Apm.Storage.Embedded.Parts;
using Apm.Telemetry.Files;

namespace Apm.Storage.Embedded.Tools;

/// <summary>A part of a snapshot: open, or what is wrong with it.</summary>
internal sealed record SnapshotPart(ManifestPart Listed, PartSource? Source, FileFinding? Finding);

/// <summary>
/// The store as it was at one moment, open for reading: nothing is locked or changed, and the process that owns the store may run. All parts that the manifest
/// lists are opened at once, and what a merge or retention deletes afterwards stays readable through its handle. A part that vanished before it was opened
/// means that the manifest has changed: it is read again.
/// </summary>
internal sealed class StoreSnapshot : IDisposable
{
    /// <summary>Attempts to find a manifest and its parts together: a merge ends once in seconds, opening takes milliseconds.</summary>
    private const int MaxAttempts = 100;

    /// <summary>Decoded directories, dictionaries, owners and index pages kept while the parts are looked at one after another.</summary>
    private const long CacheBytes = 16L << 20;

    private StoreSnapshot(Manifest manifest, IReadOnlyList<SnapshotPart> parts)
    {
        Manifest = manifest;
        Parts = parts;
    }

    public Manifest Manifest { get; }

    /// <summary>By id.</summary>
    public IReadOnlyList<SnapshotPart> Parts { get; }

    /// <exception cref="FileNotFoundException">There is no store in the folder.</exception>
    /// <exception cref="NotSupportedException">A newer version of the program wrote the manifest.</exception>
    public static StoreSnapshot Open(IFileSystem files, string folder)
    {
        RequireStore(files, folder);
        for (var attempt = 1; ; attempt++)
        {
            var manifest = Manifest.Open(files, folder);
            var parts = new List<SnapshotPart>(manifest.Parts.Count);
            var vanished = false;
            foreach (var listed in manifest.Parts)
            {
                var part = OpenPart(files, folder, listed, out var missing);
                parts.Add(part);
                vanished |= missing;
            }
            if (!vanished || attempt == MaxAttempts || !HasChanged(files, folder, manifest))
            {
                return new StoreSnapshot(manifest, parts);
            }
            parts.ForEach(static part => part.Source?.Dispose());
            manifest.Dispose();
        }
    }

    /// <exception cref="FileNotFoundException">There is no store in the folder.</exception>
    public static void RequireStore(IFileSystem files, string folder)
    {
        var path = folder + "/" + Manifest.FileName;
        if (!files.FileExists(path) && !files.FileExists(folder + "/" + Manifest.CopyFileName))
        {
            throw new FileNotFoundException($"There is no store here: '{path}' is missing.", path);
        }
    }

    public void Dispose()
    {
        foreach (var part in Parts)
        {
            part.Source?.Dispose();
        }
        Manifest.Dispose();
    }

    private static SnapshotPart OpenPart(IFileSystem files, string folder, ManifestPart listed, out bool missing)
    {
        var path = folder + "/" + listed.FileName;
        missing = false;
        try
        {
            return new SnapshotPart(listed, new PartSource(PartFile.Open(files, path), new ChunkCache(CacheBytes)), null);
        }
        catch (FileNotFoundException)
        {
            missing = true;
            return new SnapshotPart(listed, null, new FileFinding(path, 0, "the manifest lists the part and it is not there"));
        }
        catch (CorruptPartException damage)
        {
            return new SnapshotPart(listed, null, new FileFinding(path, damage.Offset, damage.Message));
        }
        catch (NotSupportedException newer)
        {
            return new SnapshotPart(listed, null, new FileFinding(path, 8, newer.Message));
        }
    }

    private static bool HasChanged(IFileSystem files, string folder, Manifest manifest)
    {
        using var now = Manifest.Open(files, folder);
        return !now.Parts.SequenceEqual(manifest.Parts);
    }
}
