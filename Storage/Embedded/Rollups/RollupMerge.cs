using Apm.Storage.Columns;
using Apm.Telemetry;

namespace Apm.Storage.Embedded.Rollups;

/// <summary>Adds rollups up, group by group, each group's cells in the order of time.</summary>
internal sealed class RollupMerge
{
    private readonly StringTable _strings = new();
    private readonly ColumnBatch _owners = new(Signal.Traces);

    private RollupMerge()
    {
    }

    /// <param name="spans">Whose spans are added up.</param>
    /// <param name="edges">Whose edges are.</param>
    public static Rollup Run(IReadOnlyList<RollupSource> spans, IReadOnlyList<RollupSource> edges)
    {
        var merge = new RollupMerge();
        var (groups, spanCells) = merge.Spans(spans);
        var (edgeGroups, edgeCells) = merge.Edges(edges);
        return new Rollup(groups, spanCells, edgeGroups, edgeCells);
    }

    private (SpanGroups Groups, RollupCells Cells) Spans(IReadOnlyList<RollupSource> inputs)
    {
        var groups = new SpanGroups(_owners, _strings);
        int[][] numbers = [.. inputs.Select(input => MapGroups(input.Groups, groups))];
        return (groups, AddUp([.. inputs.Select(input => input.SpanCells(RollupTier.Minute)!)], numbers, groups.Count));
    }

    private (EdgeGroups Groups, RollupCells Cells) Edges(IReadOnlyList<RollupSource> inputs)
    {
        var groups = new EdgeGroups(_strings) { IsKnown = inputs.All(input => input.Edges.IsKnown) };
        int[][] numbers = [.. inputs.Select(input => MapEdges(input.Edges, groups))];
        return (groups, AddUp([.. inputs.Select(input => input.EdgeCells(RollupTier.Minute)!)], numbers, groups.Count));
    }

    private int[] MapGroups(SpanGroups from, SpanGroups to)
    {
        var copier = new BatchCopier(from.Owners, _owners, expectedRows: 1);
        var names = MapStrings(from.Strings);
        var numbers = new int[from.Count];
        for (var group = 0; group < numbers.Length; group++)
        {
            var resource = from.Resources[group];
            numbers[group] = to.NumberOf(
                resource < 0 ? SpanGroups.Unknown : copier.CopyResource(resource), from.Names[group] < 0 ? SpanGroups.Unknown : names(from.Names[group]),
                from.Kinds[group], from.Statuses[group], from.Roots[group]);
        }
        return numbers;
    }

    private int[] MapEdges(EdgeGroups from, EdgeGroups to)
    {
        var strings = MapStrings(from.Strings);
        var numbers = new int[from.Count];
        to.IsTruncated |= from.IsTruncated;
        for (var edge = 0; edge < numbers.Length; edge++)
        {
            numbers[edge] = to.NumberOf(
                strings(from.Clients[edge]), strings(from.Servers[edge]), (EdgeKind)from.Kinds[edge], strings(from.Systems[edge]), strings(from.Operations[edge]));
        }
        return numbers;
    }

    private Func<int, int> MapStrings(StringTable from)
    {
        var map = new int[from.Count];
        return code => code == 0 ? 0 : map[code] != 0 ? map[code] : map[code] = _strings.Intern(from[code]);
    }

    /// <summary>Adds up cells of the same groups, of which the earlier inputs may lack the last.</summary>
    public static RollupCells AddUp(IReadOnlyList<RollupCells> inputs, int groups) =>
        AddUp(inputs, [.. inputs.Select(cells => Enumerable.Range(0, cells.GroupCount).ToArray())], groups);

    /// <param name="numbers">For each input and group of it, the group of the output, or -1.</param>
    private static RollupCells AddUp(IReadOnlyList<RollupCells> cells, int[][] numbers, int groups)
    {
        var members = new List<(int Input, int Group)>[groups];
        for (var input = 0; input < cells.Count; input++)
        {
            for (var group = 0; group < numbers[input].Length; group++)
            {
                if (numbers[input][group] >= 0)
                {
                    (members[numbers[input][group]] ??= []).Add((input, group));
                }
            }
        }
        var writer = new RollupCellsWriter();
        var sum = new CellSum();
        var queue = new PriorityQueue<(int Input, int Cell, int End), int>();
        foreach (var group in members)
        {
            foreach (var (input, inputGroup) in group ?? [])
            {
                var (start, end) = cells[input].CellsOf(inputGroup);
                if (start < end)
                {
                    queue.Enqueue((input, start, end), cells[input].SlotOf(start));
                }
            }
            while (queue.TryPeek(out _, out var slot))
            {
                while (queue.TryPeek(out var next, out var nextSlot) && nextSlot == slot)
                {
                    cells[next.Input].AddTo(sum, next.Cell, withDurations: true);
                    if (next.Cell + 1 < next.End)
                    {
                        queue.DequeueEnqueue((next.Input, next.Cell + 1, next.End), cells[next.Input].SlotOf(next.Cell + 1));
                    }
                    else
                    {
                        queue.Dequeue();
                    }
                }
                writer.Add(slot, sum);
            }
            writer.EndGroup();
        }
        return writer.ToCells();
    }
}
