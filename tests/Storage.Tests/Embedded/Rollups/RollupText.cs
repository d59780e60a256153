using Apm.Storage.Embedded.Rollups;

namespace Apm.Storage.Tests.Embedded.Rollups;

/// <summary>A rollup's cells as lines, whatever its groups' numbers: equal exactly when the rollups say the same.</summary>
internal static class RollupText
{
    public static string[] Of(RollupSource rollup, RollupTier tier, RollupView view = RollupView.Resource)
    {
        var groups = rollup.GroupsOf(view) ?? rollup.Groups;
        var edges = rollup.Edges;
        var lines = new List<string>();
        Add(rollup.SpanCells(view, tier), group =>
            $"span {Resource(groups, groups.Resources[group])} '{Text(groups.Names[group])}' {groups.Kinds[group]} {groups.Statuses[group]} {groups.Roots[group]}");
        Add(rollup.EdgeCells(tier), edge =>
            $"edge '{Text(edges.Clients[edge])}' '{Text(edges.Servers[edge])}' {edges.Kinds[edge]} '{Text(edges.Systems[edge])}' '{Text(edges.Operations[edge])}'");
        lines.Sort(StringComparer.Ordinal);
        return [.. lines];

        string Text(int code) => code < 0 ? "?" : groups.Strings.GetString(code);

        void Add(CellChunks? chunks, Func<int, string> describe)
        {
            for (var chunk = 0; chunk < (chunks?.Count ?? 0); chunk++)
            {
                AddCells(chunks!.Load(chunk), describe);
            }
        }

        void AddCells(RollupCells cells, Func<int, string> describe)
        {
            var sum = new CellSum();
            for (var group = 0; group < cells.GroupCount; group++)
            {
                var (start, end) = cells.CellsOf(group);
                for (var cell = start; cell < end; cell++)
                {
                    cells.AddTo(sum, cell, withDurations: true);
                    lines.Add($"{describe(group)} @{cells.SlotOf(cell)}: {Of(sum)}");
                    sum.Clear();
                }
            }
        }
    }

    public static string Of(CellSum sum) => $"{sum.Count} {sum.Errors} {sum.SumNano} {sum.MaxNano} " + string.Join(
        ',', Enumerable.Range(0, CellSum.MaxBuckets).Where(bucket => sum.Buckets[bucket] != 0).Select(bucket => $"{bucket}:{sum.Buckets[bucket]}"));

    private static string Resource(SpanGroups groups, int resource)
    {
        if (resource < 0)
        {
            return "?";
        }
        var attributes = groups.Owners.ResourceAttributes;
        return string.Join(',', Enumerable.Range(attributes.Start(resource), attributes.Start(resource + 1) - attributes.Start(resource)).Select(entry =>
            $"{groups.Owners.Strings.GetString(attributes.Keys[entry])}={attributes.GetValue(entry, groups.Owners.Strings)}"));
    }
}
