namespace Apm.Query.Traces;

/// <summary>Siblings that do the same thing over and over: the loop of single queries that one query should be.</summary>
/// <param name="Rows">In order.</param>
/// <param name="DurationNano">Sum over them.</param>
internal sealed record RepeatedCalls(int ParentRow, IReadOnlyList<int> Rows, int Name, int Service, long DurationNano)
{
    /// <summary>Fewer are no pattern.</summary>
    public const int LeastCalls = 5;

    /// <summary>Siblings of one service, name and detail, literals in the detail apart; the longest in sum first.</summary>
    public static List<RepeatedCalls> Find(TraceOutline outline)
    {
        var tree = outline.Tree;
        var alike = AlikeDetails(outline);
        var groups = new Dictionary<(int Parent, int Service, int Name, int Detail), List<int>>();
        for (var row = 0; row < tree.Count; row++)
        {
            if (tree.Parent[row] < 0)
            {
                continue;
            }
            var key = (tree.Parent[row], outline.Service[row], outline.Name[row], outline.Detail[row] < 0 ? -1 : alike[outline.Detail[row]]);
            if (!groups.TryGetValue(key, out var rows))
            {
                groups.Add(key, rows = []);
            }
            rows.Add(row);
        }
        return [.. groups.Where(group => group.Value.Count >= LeastCalls)
            .Select(group => new RepeatedCalls(group.Key.Parent, group.Value, group.Key.Name, group.Key.Service, group.Value.Sum(row => outline.SpanDurationNano[row])))
            .OrderByDescending(calls => calls.DurationNano).ThenBy(calls => calls.Rows[0])];
    }

    /// <summary>Per name: a number that those have in common which differ only in literals.</summary>
    private static int[] AlikeDetails(TraceOutline outline)
    {
        var patterns = new Dictionary<string, int>(StringComparer.Ordinal);
        var alike = new int[outline.Names.All.Count];
        for (var i = 0; i < alike.Length; i++)
        {
            var pattern = SpanDescription.WithoutLiterals(outline.Names.All[i]);
            if (!patterns.TryGetValue(pattern, out alike[i]))
            {
                patterns.Add(pattern, alike[i] = patterns.Count);
            }
        }
        return alike;
    }
}
