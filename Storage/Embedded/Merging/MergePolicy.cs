using Apm.Telemetry;

namespace Apm.Storage.Embedded.Merging;

/// <summary>
/// Which parts to join. Level by level: a merge's output is one level above the highest of its inputs, and nothing of level 2 is joined again but where
/// there is room in the budget; so a row is written at most three times, its seal included. With that, of one signal and day there are at most 15 parts of
/// level 0, 15 of level 1, and large ones. Pure: depends on its arguments only.
/// </summary>
internal static class MergePolicy
{
    /// <summary>Parts joined at once, and parts of a level that make a merge due. Few merges a row, and few files open at a time.</summary>
    public const int FanIn = 16;

    /// <summary>Largest part made: a merge of it takes seconds, and needs as much room on the disk once more.</summary>
    public const long MaxBytes = 512L << 20;

    /// <summary>Bytes written for each byte sealed, the seal included.</summary>
    public const double MaxAmplification = 3;

    /// <summary>From this level on parts are joined only while they are small and the budget allows it.</summary>
    public const int LastLevel = 2;

    /// <summary>A part of the last level below this is small: late rows of days long past make such.</summary>
    public const long SmallBytes = MaxBytes / 16;

    /// <summary>After a day has ended its rows still come in: what is left of it is joined when this has passed. One hour: two rounds of the longest seal age that is usual.</summary>
    public static readonly TimeSpan DayGrace = TimeSpan.FromHours(1);

    /// <summary>What should be merged next; null: nothing.</summary>
    /// <param name="now">Any clock: one that is wrong costs merges that are too early or too late, never more than the budget.</param>
    /// <param name="sealedBytes">Bytes of all parts ever written from memory.</param>
    /// <param name="mergedBytes">Bytes of all parts ever written from parts.</param>
    public static MergeChoice? Next(IReadOnlyCollection<MergeCandidate> parts, DateTimeOffset now, long sealedBytes, long mergedBytes)
    {
        var today = DayOf(now - DayGrace);
        // What the parts of the lower levels will still cost is not to be spent on anything else.
        var spareBytes = (long)((MaxAmplification - 1) * sealedBytes) - mergedBytes - parts.Sum(static part => Math.Max(0, LastLevel - part.Level) * part.Bytes);
        MergeChoice? best = null;
        foreach (var group in parts.Where(static part => part.Bytes <= MaxBytes / 2).GroupBy(static part => (part.Signal, part.Day)))
        {
            if (Next([.. group.OrderBy(static part => part.Id)], group.Key.Day < today, spareBytes) is { } choice && (best is null || IsBefore(choice, best)))
            {
                best = choice;
            }
        }
        return best;
    }

    /// <summary>All parts that should be merged now, the one in work included.</summary>
    public static IReadOnlyList<MergeCandidate> Due(IReadOnlyCollection<MergeCandidate> parts, DateTimeOffset now, long sealedBytes, long mergedBytes)
    {
        var due = new List<MergeCandidate>();
        var rest = parts.ToHashSet();
        while (Next(rest, now, sealedBytes, mergedBytes) is { } choice)
        {
            due.AddRange(choice.Inputs);
            rest.ExceptWith(choice.Inputs);
        }
        return due;
    }

    /// <summary>UTC day, in days since the Unix epoch.</summary>
    public static int DayOf(DateTimeOffset time) => (int)Math.Floor((time - DateTimeOffset.UnixEpoch).TotalDays);

    /// <summary>First what takes away the most parts: those make every search slower. Among equals the one that writes least.</summary>
    private static bool IsBefore(MergeChoice left, MergeChoice right) => left.Inputs.Count != right.Inputs.Count
        ? left.Inputs.Count > right.Inputs.Count
        : left.Bytes < right.Bytes;

    /// <param name="parts">Of one signal and day, oldest first; none larger than half of what a merge may write.</param>
    /// <param name="hasEnded">The day is over.</param>
    private static MergeChoice? Next(List<MergeCandidate> parts, bool hasEnded, long spareBytes)
    {
        for (var level = 0; level < LastLevel; level++)
        {
            var due = parts.FindAll(part => part.Level == level);
            var taken = Take(due);
            // Full in number, or in bytes: the next part does not fit any more.
            if (taken.Count == FanIn || taken.Count < due.Count)
            {
                return new MergeChoice(taken, level + 1);
            }
        }
        if (!hasEnded)
        {
            return null;
        }
        if (Take(parts.FindAll(static part => part.Level == 0)) is { Count: >= 2 } lowest)
        {
            return new MergeChoice(lowest, 1);
        }
        if (Take(parts.FindAll(static part => part.Level < LastLevel)) is { Count: >= 2 } rest)
        {
            return new MergeChoice(rest, LastLevel);
        }
        var small = Take(parts.FindAll(static part => part.Level >= LastLevel && part.Bytes < SmallBytes));
        return small.Count >= FanIn / 2 && small.Sum(static part => part.Bytes) <= spareBytes
            ? new MergeChoice(small, small.Max(static part => part.Level) + 1)
            : null;
    }

    /// <summary>The oldest, as many as may be joined at once: at least two when there are two.</summary>
    private static List<MergeCandidate> Take(List<MergeCandidate> parts)
    {
        var taken = new List<MergeCandidate>(FanIn);
        long bytes = 0;
        foreach (var part in parts)
        {
            if (taken.Count == FanIn || bytes + part.Bytes > MaxBytes)
            {
                break;
            }
            taken.Add(part);
            bytes += part.Bytes;
        }
        return taken;
    }
}
