using Apm.Storage.Columns;
using Apm.Storage.Embedded.Parts;
using Apm.Storage.Embedded.Rollups;
using Apm.Telemetry;
using Apm.Telemetry.Files;
using Microsoft.Extensions.Logging;

namespace Apm.Storage.Embedded;

/// <summary>
/// The store's folder: the manifest, the part files, and <c>damaged/</c> with what was set aside. Opened once; then written by the thread that seals and the
/// one that merges. The lists are changed under the engine's lock.
/// </summary>
internal sealed partial class PartFolder : IDisposable
{
    public const string DamagedFolder = "damaged";

    private readonly IFileSystem _files;
    private readonly string _folder;
    private readonly Manifest _manifest;
    private readonly ChunkCache _cache;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly List<DamagedPart> _damaged = [];
    private readonly List<StoredPart> _spans = [];
    private readonly List<StoredPart> _logs = [];
    /// <summary>Held while an edit is written and synced.</summary>
    private readonly Lock _commits = new();
    private readonly System.Collections.Concurrent.ConcurrentQueue<StoredPart> _obsolete = [];
    private long _lastId;

    private PartFolder(IFileSystem files, string folder, Manifest manifest, ChunkCache cache, TimeProvider time, ILogger logger)
    {
        _time = time;
        Rollups = new PartRollups(files, folder, cache, logger);
        _files = files;
        _folder = folder;
        _manifest = manifest;
        _cache = cache;
        _logger = logger;
    }

    /// <summary>All parts, in the order they were sealed. Whoever puts another set in its place lets go of this one.</summary>
    public PartSet Parts { get; private set; } = new([], []);

    public PartRollups Rollups { get; }

    /// <summary>Of all parts.</summary>
    public long Bytes { get; private set; }

    public long CacheBytes => _cache.Bytes;

    public long CoveredSpans { get; private set; }

    public long CoveredLogs { get; private set; }

    /// <summary>Bytes of all parts ever sealed, and of all written from other parts.</summary>
    public long SealedBytes => _manifest.SealedBytes;

    public long MergedBytes => _manifest.MergedBytes;

    public long FreeBytes => _files.FreeBytes;

    public long TotalBytes => _files.TotalBytes;

    /// <summary>Parts found damaged since the folder was opened.</summary>
    public int SetAside { get; private set; }

    /// <summary>The latest of them, latest last.</summary>
    public IReadOnlyList<DamagedPart> Damaged => _damaged;

    public static PartFolder Open(IFileSystem files, string folder, long cacheBytes, TimeProvider time, ILogger logger)
    {
        files.CreateDirectory(folder);
        files.SyncDirectory(folder.LastIndexOf('/') is var parent and >= 0 ? folder[..parent] : "");
        var result = new PartFolder(files, folder, Manifest.Open(files, folder), new ChunkCache(cacheBytes), time, logger);
        try
        {
            result.Recover();
            return result;
        }
        catch
        {
            result._spans.Concat(result._logs).ToList().ForEach(static part => part.Source.Dispose());
            result.Dispose();
            throw;
        }
    }

    /// <summary>Writes the head's rows as parts, one for each signal that has any, and syncs them. When it throws, no file is left.</summary>
    /// <param name="sealedUnixSeconds">As <see cref="ManifestPart.SealedUnixSeconds"/>.</param>
    public IReadOnlyList<ManifestPart> Write(Head head, long sealedUnixSeconds)
    {
        var written = new List<ManifestPart>();
        try
        {
            foreach (var sources in new[] { head.Spans, head.Logs })
            {
                if (sources.Count > 0)
                {
                    written.Add(WritePart([.. sources.Select(source => source.Batch)], sealedUnixSeconds));
                }
            }
            if (written.Count > 0)
            {
                _files.SyncDirectory(_folder);
            }
            return written;
        }
        catch
        {
            foreach (var part in written)
            {
                DeleteQuietly(part.FileName);
            }
            throw;
        }
    }

    public IReadOnlyList<PartSource> OpenWritten(IReadOnlyList<ManifestPart> parts)
    {
        var opened = new List<PartSource>(parts.Count);
        try
        {
            foreach (var part in parts)
            {
                opened.Add(new PartSource(PartFile.Open(_files, PathOf(part.FileName)), _cache) { Entry = part });
            }
            return opened;
        }
        catch
        {
            opened.ForEach(part => part.Dispose());
            throw;
        }
    }

    /// <summary>Makes the head's parts, and the positions they cover, part of the store.</summary>
    public void Commit(Head head) => Commit(new ManifestEdit(head.Written!, [], head.SpanPosition, head.LogPosition));

    public void PublishLocked(Head head, IReadOnlyList<PartSource> opened)
    {
        foreach (var part in opened)
        {
            Add(part);
        }
        Parts = new PartSet([.. _spans], [.. _logs]);
        CoveredSpans = head.SpanPosition;
        CoveredLogs = head.LogPosition;
    }

    public void Dispose() => _manifest.Dispose();

    private void Add(PartSource part)
    {
        (part.Signal == Signal.Traces ? _spans : _logs).Add(new StoredPart(part.Entry!, part, Close));
        Bytes += part.File.SizeBytes;
    }

    private void Close(StoredPart part)
    {
        part.Source.Dispose();
        if (part.IsObsolete)
        {
            _obsolete.Enqueue(part);
        }
    }

    private string PathOf(string fileName) => _folder + "/" + fileName;

    private ManifestPart WritePart(IReadOnlyList<ColumnBatch> batches, long sealedUnixSeconds)
    {
        using var content = new BatchContent(batches);
        var part = new ManifestPart(Interlocked.Increment(ref _lastId), content.Signal, Level: 0, content.Rows, 0, sealedUnixSeconds);
        try
        {
            using var file = _files.Create(PathOf(part.FileName));
            var bytes = PartWriter.Write(file, content);
            file.Sync();
            return part with { Bytes = bytes };
        }
        catch
        {
            DeleteQuietly(part.FileName);
            throw;
        }
    }

    /// <summary>After a failure, whose exception matters more than one from here: what cannot be deleted now is deleted at the next start, as nothing lists it.</summary>
    private void DeleteQuietly(string fileName)
    {
        try
        {
            _files.Delete(PathOf(fileName));
        }
        catch (IOException failure)
        {
            LogNotDeleted(fileName, failure);
        }
    }

    private void Recover()
    {
        var present = _files.ListFiles(_folder);
        foreach (var name in present)
        {
            if (ManifestPart.TryParseId(name, out var id))
            {
                _lastId = Math.Max(_lastId, id);
            }
        }
        var listed = _manifest.Parts.ToDictionary(part => part.FileName);
        _lastId = Math.Max(_lastId, _manifest.LastId);
        (CoveredSpans, CoveredLogs) = (_manifest.CoveredSpans, _manifest.CoveredLogs);
        var removed = new List<long>();
        foreach (var part in _manifest.Parts)
        {
            if (TryOpen(part.FileName, part) is { } source)
            {
                Add(source);
            }
            else
            {
                removed.Add(part.Id);
            }
        }
        List<ManifestPart> added = [];
        foreach (var (name, damage) in _manifest.DamagedCopies)
        {
            LogManifestDamaged(name, damage);
            SetAsideFile(name, copy: true);
        }
        if (_manifest.Damage is not null)
        {
            LogManifestIncomplete();
            added = KeepUnlisted(present, listed);
        }
        // Also without changes: the file may end in a torn edit, which a new one must not follow.
        _manifest.Commit(new ManifestEdit(added, removed, CoveredSpans, CoveredLogs));
        Parts = new PartSet([.. _spans], [.. _logs]);
        foreach (var name in present)
        {
            var isPart = ManifestPart.TryParseId(name, out var id);
            var isRollup = name.EndsWith(ManifestPart.RollupExtension, StringComparison.Ordinal)
                && !_spans.Exists(part => part.Entry.RollupFileName == name);
            if (isRollup || (isPart && !listed.ContainsKey(name) && !added.Exists(part => part.Id == id)) || name == Manifest.TemporaryFileName)
            {
                DeleteQuietly(name);
            }
        }
    }

    /// <summary>When the manifest is damaged, a part that it does not list is more likely lost from the list than left by a crash: all that open are kept.</summary>
    private List<ManifestPart> KeepUnlisted(IReadOnlyList<string> present, Dictionary<string, ManifestPart> listed)
    {
        var kept = new List<ManifestPart>();
        foreach (var name in present.Order(StringComparer.Ordinal))
        {
            if (ManifestPart.TryParseId(name, out var id) && !listed.ContainsKey(name) && TryOpen(name, null) is { } source)
            {
                source.Entry = new ManifestPart(id, source.Signal, Level: 0, source.RowCount, source.File.SizeBytes);
                Add(source);
                kept.Add(source.Entry);
            }
        }
        return kept;
    }

    /// <summary>Null when the part is damaged or gone, which costs its rows but never the start.</summary>
    private PartSource? TryOpen(string fileName, ManifestPart? entry)
    {
        PartSource? part = null;
        try
        {
            if (!_files.FileExists(PathOf(fileName)))
            {
                AddDamaged(fileName, entry, "the file is gone");
                LogPartMissing(fileName);
                return null;
            }
            part = new PartSource(PartFile.Open(_files, PathOf(fileName)), _cache) { Entry = entry };
            Rollups.Open(part);
            return part;
        }
        catch (CorruptPartException damage)
        {
            LogPartDamaged(fileName, damage);
            SetAsideFile(fileName, copy: false);
            AddDamaged(fileName, entry, damage.Message);
            return null;
        }
        catch
        {
            part?.Dispose();
            throw;
        }
    }

    private void AddDamaged(string fileName, ManifestPart? entry, string reason)
    {
        SetAside++;
        if (_damaged.Count == StoreStatus.MaxDamaged)
        {
            _damaged.RemoveAt(0);
        }
        _damaged.Add(new DamagedPart((_time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100, entry?.Signal, fileName, entry?.Rows ?? 0, reason));
    }

    private void SetAsideFile(string fileName, bool copy)
    {
        var damaged = PathOf(DamagedFolder);
        _files.CreateDirectory(damaged);
        var target = damaged + "/" + fileName;
        for (var number = 1; _files.FileExists(target); number++)
        {
            target = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{damaged}/{fileName}.{number}");
        }
        if (copy)
        {
            CopyFile(PathOf(fileName), target);
        }
        else
        {
            _files.Rename(PathOf(fileName), target);
        }
        _files.SyncDirectory(damaged);
        _files.SyncDirectory(_folder);
    }

    private void CopyFile(string from, string to)
    {
        using var source = _files.OpenRead(from);
        using var target = _files.Create(to);
        var buffer = new byte[1 << 16];
        for (long offset = 0; ; )
        {
            var count = source.Read(buffer, offset);
            if (count == 0)
            {
                break;
            }
            target.Write(buffer.AsSpan(0, count), offset);
            offset += count;
        }
        target.Sync();
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Part {Part} is damaged; it is moved to 'damaged' and its rows are missing from answers.")]
    private partial void LogPartDamaged(string part, CorruptPartException damage);

    [LoggerMessage(Level = LogLevel.Error, Message = "Part {Part} is listed and not there; its rows are missing from answers.")]
    private partial void LogPartMissing(string part);

    [LoggerMessage(Level = LogLevel.Error, Message = "The manifest's file '{File}' is damaged; it is copied to 'damaged' and written anew.")]
    private partial void LogManifestDamaged(string file, CorruptPartException damage);

    [LoggerMessage(Level = LogLevel.Error, Message = "Both copies of the manifest are damaged: every part that can be opened is kept.")]
    private partial void LogManifestIncomplete();

    [LoggerMessage(Level = LogLevel.Warning, Message = "Could not delete {File}; the next start does.")]
    private partial void LogNotDeleted(string file, Exception failure);
}
