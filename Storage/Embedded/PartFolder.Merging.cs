using Apm.Storage.Embedded.Parts;
using Apm.Telemetry;
using Microsoft.Extensions.Logging;

namespace Apm.Storage.Embedded;

/// <summary>Parts that take the place of others, and parts that leave: by the thread that merges.</summary>
internal sealed partial class PartFolder
{
    /// <summary>
    /// Writes the rows of parts as one new part, synced and open, but in no list yet; null when no row is left. The inputs are held open by the caller. When
    /// it throws, no file is left.
    /// </summary>
    /// <param name="keepResource">False for resources whose rows are left out; null keeps all.</param>
    /// <param name="result">What was left out.</param>
    public PartSource? WriteMerged(IReadOnlyList<StoredPart> inputs, Func<PartSource, int, bool>? keepResource, int level, out MergeResult result, CancellationToken cancellationToken)
    {
        var entry = new ManifestPart(
            Interlocked.Increment(ref _lastId), inputs[0].Entry.Signal, level, 0, 0, LastSeal(inputs));
        PartSource[] sources = [.. inputs.Select(static part => part.Source)];
        try
        {
            using (var file = _files.Create(PathOf(entry.FileName)))
            {
                result = PartMerger.Merge(sources, keepResource, file, level, cancellationToken);
                if (result.Rows > 0)
                {
                    file.Sync();
                }
            }
            if (result.Rows == 0)
            {
                DeleteQuietly(entry.FileName);
                return null;
            }
            _files.SyncDirectory(_folder);
            return new PartSource(PartFile.Open(_files, PathOf(entry.FileName)), _cache) { Entry = entry with { Rows = result.Rows, Bytes = result.Bytes } };
        }
        catch
        {
            DeleteQuietly(entry.FileName);
            throw;
        }
    }

    /// <summary>Makes it durable that a part takes the place of others, or that they leave. When it throws, it is to be called again: until then all files stay.</summary>
    public void Commit(PartSource? added, IReadOnlyList<StoredPart> removed) =>
        Commit(new ManifestEdit(added is null ? [] : [added.Entry!], [.. removed.Select(static part => part.Entry.Id)], 0, 0));

    /// <summary>After <see cref="Commit(PartSource?, IReadOnlyList{StoredPart})"/>: the files of the removed are deleted when nobody reads them any more.</summary>
    public void ReplaceLocked(PartSource? added, IReadOnlyList<StoredPart> removed)
    {
        foreach (var part in removed)
        {
            part.IsObsolete = true;
        }
        RemoveLocked(removed);
        if (added is not null)
        {
            Add(added);
        }
        Parts = new PartSet([.. _spans], [.. _logs]);
    }

    /// <summary>Takes a damaged part out of the list in memory; null when it is not there (any more).</summary>
    public StoredPart? TakeOutLocked(CorruptPartException damage)
    {
        var part = _spans.Concat(_logs).FirstOrDefault(part => damage.Path == PathOf(part.Entry.FileName));
        if (part is not null)
        {
            RemoveLocked([part]);
            AddDamaged(part.Entry.FileName, part.Entry, damage.Message);
            Parts = new PartSet([.. _spans], [.. _logs]);
        }
        return part;
    }

    /// <summary>Makes it durable that a damaged part is none of the store's any more. When it throws, it is to be called again.</summary>
    public void SetAsidePart(StoredPart part)
    {
        // Moved first: a crash in between leaves a list with a part that is gone, not a file that is deleted as nothing lists it.
        if (_files.FileExists(PathOf(part.Entry.FileName)))
        {
            SetAsideFile(part.Entry.FileName, copy: false);
        }
        Commit(null, [part]);
        DeleteQuietly(part.Entry.RollupFileName);
    }

    /// <summary>Deletes the files of parts that no list has and nobody reads any more.</summary>
    public void DeleteObsolete()
    {
        while (_obsolete.TryDequeue(out var part))
        {
            DeleteQuietly(part.Entry.FileName);
            DeleteQuietly(part.Entry.RollupFileName);
        }
    }

    /// <summary>A part that was written and is not to be used after all.</summary>
    public void Discard(PartSource part)
    {
        part.Dispose();
        DeleteQuietly(part.Entry!.FileName);
        DeleteQuietly(part.Entry.RollupFileName);
    }

    /// <summary>Of rows joined. Those of a part whose seal has no time count as sealed when the last of them happened, where others have one.</summary>
    private static long LastSeal(IReadOnlyList<StoredPart> inputs) => inputs.All(static part => part.Entry.SealedUnixSeconds == 0)
        ? 0
        : inputs.Max(static part => part.Entry.SealedUnixSeconds > 0 ? part.Entry.SealedUnixSeconds : part.LastUnixNano / StoredPart.NanosecondsPerSecond);

    private void RemoveLocked(IReadOnlyList<StoredPart> removed)
    {
        foreach (var part in removed)
        {
            if ((part.Entry.Signal == Signal.Traces ? _spans : _logs).Remove(part))
            {
                Bytes -= part.Source.File.SizeBytes;
            }
        }
    }

    private void Commit(ManifestEdit edit)
    {
        lock (_commits)
        {
            _manifest.Commit(edit);
        }
    }
}
