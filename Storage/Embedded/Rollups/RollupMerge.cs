using Apm.Storage.Columns;
using Apm.Telemetry;

namespace Apm.Storage.Embedded.Rollups;

/// <summary>Adds rollups up, group by group, each group's cells in the order of time.</summary>
internal sealed class RollupMerge
{
    private readonly IReadOnlyList<RollupSource> _inputs;
    private readonly Func<ColumnBatch, int, bool>? _keep;
    private readonly StringTable _strings = new();
    private readonly ColumnBatch _owners = new(Signal.Traces);

    private RollupMerge(IReadOnlyList<RollupSource> inputs, Func<ColumnBatch, int, bool>? keep)
    {
        _inputs = inputs;
        _keep = keep;
    }

    public static Rollup Run(IReadOnlyList<RollupSource> inputs, Func<ColumnBatch, int, bool>? keep) => new RollupMerge(inputs, keep).Run();

    private Rollup Run()
    {
        var groups = new SpanGroups(_owners, _strings);
        var edges = new EdgeGroups(_strings) { IsKnown = _inputs.All(input => input.Edges.IsKnown) };
        var spanNumbers = new int[_inputs.Count][];
        var edgeNumbers = new int[_inputs.Count][];
        for (var input = 0; input < _inputs.Count; input++)
        {
            var dropped = new HashSet<string>(StringComparer.Ordinal);
            spanNumbers[input] = MapGroups(_inputs[input].Groups, groups, dropped);
            edgeNumbers[input] = MapEdges(_inputs[input].Edges, edges, dropped);
        }
        return new Rollup(
            groups, AddUp([.. _inputs.Select(input => input.SpanCells(RollupTier.Minute)!)], spanNumbers, groups.Count),
            edges, AddUp([.. _inputs.Select(input => input.EdgeCells(RollupTier.Minute)!)], edgeNumbers, edges.Count));
    }

    /// <param name="dropped">Gets the services of which no resource is kept.</param>
    private int[] MapGroups(SpanGroups from, SpanGroups to, HashSet<string> dropped)
    {
        var copier = new BatchCopier(from.Owners, _owners, expectedRows: 1);
        var kept = new bool[from.Owners.ResourceAttributes.OwnerCount];
        var keptServices = new HashSet<string>(StringComparer.Ordinal);
        for (var resource = 0; resource < kept.Length; resource++)
        {
            kept[resource] = _keep is null || _keep(from.Owners, resource);
            (kept[resource] ? keptServices : dropped).Add(from.Owners.ResourceServiceName(resource));
        }
        dropped.ExceptWith(keptServices);
        var names = MapStrings(from.Strings);
        var numbers = new int[from.Count];
        for (var group = 0; group < numbers.Length; group++)
        {
            var resource = from.Resources[group];
            if (resource >= 0 && !kept[resource])
            {
                numbers[group] = -1;
                continue;
            }
            numbers[group] = to.NumberOf(
                resource < 0 ? SpanGroups.Unknown : copier.CopyResource(resource), from.Names[group] < 0 ? SpanGroups.Unknown : names(from.Names[group]),
                from.Kinds[group], from.Statuses[group], from.Roots[group]);
        }
        return numbers;
    }

    private int[] MapEdges(EdgeGroups from, EdgeGroups to, HashSet<string> dropped)
    {
        var strings = MapStrings(from.Strings);
        var numbers = new int[from.Count];
        to.IsTruncated |= from.IsTruncated;
        for (var edge = 0; edge < numbers.Length; edge++)
        {
            // Calls between services are counted where they arrive, others where they leave.
            var kind = (EdgeKind)from.Kinds[edge];
            var reporter = kind is EdgeKind.Service or EdgeKind.Host ? from.Servers[edge] : from.Clients[edge];
            numbers[edge] = dropped.Count > 0 && dropped.Contains(from.Strings.GetString(reporter))
                ? -1
                : to.NumberOf(strings(from.Clients[edge]), strings(from.Servers[edge]), kind, strings(from.Systems[edge]), strings(from.Operations[edge]));
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
