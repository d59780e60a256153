namespace Apm.Query.Traces;

/// <summary>A part of the critical path: the span's own time, in nanoseconds since the trace's start.</summary>
internal readonly record struct CriticalSection(int Row, long FromNano, long ToNano);

/// <summary>
/// The chain of work that the root's end waited for, found as Jaeger does: walk back from the root's end; where the latest child to finish before that point
/// ran, the path goes through it, and else through the span itself. Children are cut to their parent's time, so that work which outlives it does not count.
/// </summary>
internal static class CriticalPath
{
    /// <param name="start">Start of each row, nanoseconds since the trace's.</param>
    /// <param name="root">Where the path ends and begins.</param>
    /// <returns>From the earliest to the latest.</returns>
    public static List<CriticalSection> Find(TraceTree tree, ReadOnlySpan<long> start, ReadOnlySpan<long> duration, int root)
    {
        var (from, to) = Clip(tree, start, duration);
        var children = ChildrenByEnd(tree, to);
        // Per row: the next child to consider; each is considered once, as the walk only goes back in time.
        var cursor = (int[])children.Start.Clone();
        var sections = new List<CriticalSection>();
        var limit = to[root];
        for (var row = root; row >= 0;)
        {
            var child = -1;
            while (cursor[row] < children.Start[row + 1] && child < 0)
            {
                var candidate = children.Rows[cursor[row]++];
                if (to[candidate] <= limit && from[candidate] < to[candidate])
                {
                    child = candidate;
                }
            }
            var sectionFrom = child >= 0 ? to[child] : from[row];
            if (sectionFrom < limit)
            {
                sections.Add(new CriticalSection(row, sectionFrom, limit));
            }
            limit = Math.Min(limit, sectionFrom);
            row = child >= 0 ? child : row == root ? -1 : tree.Parent[row];
        }
        sections.Reverse();
        return Merge(sections);
    }

    /// <summary>Each row's time cut to its parent's; parents come first, so one pass does.</summary>
    private static (long[] From, long[] To) Clip(TraceTree tree, ReadOnlySpan<long> start, ReadOnlySpan<long> duration)
    {
        var from = start.ToArray();
        var to = new long[from.Length];
        for (var row = 0; row < from.Length; row++)
        {
            to[row] = start[row] + duration[row];
            var parent = tree.Parent[row];
            if (parent >= 0)
            {
                from[row] = Math.Clamp(from[row], from[parent], to[parent]);
                to[row] = Math.Clamp(to[row], from[row], to[parent]);
            }
        }
        return (from, to);
    }

    /// <summary>The children of row i are Rows[Start[i]] to Rows[Start[i + 1]], the latest to end first.</summary>
    private static (int[] Start, int[] Rows) ChildrenByEnd(TraceTree tree, long[] to)
    {
        var starts = new int[tree.Count + 1];
        for (var row = 0; row < tree.Count; row++)
        {
            if (tree.Parent[row] >= 0)
            {
                starts[tree.Parent[row] + 1]++;
            }
        }
        for (var row = 0; row < tree.Count; row++)
        {
            starts[row + 1] += starts[row];
        }
        var rows = new int[starts[^1]];
        var next = starts.AsSpan(0, tree.Count).ToArray();
        for (var row = 0; row < tree.Count; row++)
        {
            if (tree.Parent[row] >= 0)
            {
                rows[next[tree.Parent[row]]++] = row;
            }
        }
        for (var row = 0; row < tree.Count; row++)
        {
            rows.AsSpan(starts[row]..starts[row + 1]).Sort((left, right) => to[right] != to[left] ? to[right].CompareTo(to[left]) : left.CompareTo(right));
        }
        return (starts, rows);
    }

    private static List<CriticalSection> Merge(List<CriticalSection> sections)
    {
        var merged = new List<CriticalSection>(sections.Count);
        foreach (var section in sections)
        {
            if (merged.Count > 0 && merged[^1].Row == section.Row && merged[^1].ToNano == section.FromNano)
            {
                merged[^1] = merged[^1] with { ToNano = section.ToNano };
            }
            else
            {
                merged.Add(section);
            }
        }
        return merged;
    }
}
