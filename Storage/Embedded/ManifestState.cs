namespace Apm.Storage.Embedded;

/// <summary>What one edit adds, removes and covers.</summary>
internal sealed record ManifestEdit(IReadOnlyList<ManifestPart> Added, IReadOnlyList<long> Removed, long CoveredSpans, long CoveredLogs);

/// <summary>What all edits up to one add up to. One thread.</summary>
internal sealed class ManifestState
{
    /// <summary>Of the last edit; rises with each and is never used twice, so that of two copies the one that knows more is known. 0: there was none.</summary>
    public long Sequence { get; private set; }

    public SortedDictionary<long, ManifestPart> Parts { get; } = [];

    public long CoveredSpans { get; private set; }

    public long CoveredLogs { get; private set; }

    /// <summary>Of the file it was read from: bytes up to the end of the last whole edit.</summary>
    public long WholeBytes { get; set; }

    /// <summary>Bytes of all parts ever listed with level 0.</summary>
    public long SealedBytes { get; set; }

    /// <summary>Bytes of all parts ever listed with another level.</summary>
    public long MergedBytes { get; set; }

    /// <summary>Highest id of any part ever listed, whether it still is or not; 0: there was none. Higher ones only are given to new parts.</summary>
    public long LastId { get; set; }

    /// <summary>An edit may be applied again: it changes nothing then.</summary>
    public void Apply(ManifestEdit edit, long sequence)
    {
        Sequence = sequence;
        foreach (var part in edit.Added)
        {
            LastId = Math.Max(LastId, part.Id);
            if (Parts.TryAdd(part.Id, part))
            {
                SealedBytes += part.Level == 0 ? part.Bytes : 0;
                MergedBytes += part.Level == 0 ? 0 : part.Bytes;
            }
        }
        foreach (var id in edit.Removed)
        {
            Parts.Remove(id);
        }
        CoveredSpans = Math.Max(CoveredSpans, edit.CoveredSpans);
        CoveredLogs = Math.Max(CoveredLogs, edit.CoveredLogs);
    }
}
