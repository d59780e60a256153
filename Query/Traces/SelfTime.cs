namespace Apm.Query.Traces;

/// <summary>Time in which a span ran and none of its children did.</summary>
internal static class SelfTime
{
    /// <param name="start">Start of each row in nanoseconds, by which siblings are ordered.</param>
    public static long[] Of(TraceTree tree, ReadOnlySpan<long> start, ReadOnlySpan<long> duration)
    {
        var self = new long[tree.Count];
        for (var row = 0; row < tree.Count; row++)
        {
            var end = start[row] + duration[row];
            var covered = start[row];
            long own = 0;
            for (var child = tree.FirstChild[row]; child >= 0; child = tree.NextSibling[child])
            {
                var from = Math.Min(start[child], end);
                own += Math.Max(0, from - covered);
                covered = Math.Max(covered, Math.Min(start[child] + duration[child], end));
            }
            self[row] = own + Math.Max(0, end - covered);
        }
        return self;
    }
}
