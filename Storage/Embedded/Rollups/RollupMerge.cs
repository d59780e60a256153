using Apm.Storage.Columns;
using Apm.Telemetry;

namespace Apm.Storage.Embedded.Rollups;

/// <summary>
/// The sum of rollups, in minutes only: cells are added up when a chunk is asked for, so that one who goes through them in the order of time holds few at once.
/// One thread.
/// </summary>
internal sealed class RollupMerge : RollupSource
{
    /// <summary>Chunks begin and end at whole hours, so that each can be made coarser by itself.</summary>
    private const int WindowMinutes = 60;

    private readonly StringTable _strings = new();
    private readonly ColumnBatch _owners = new(Signal.Traces);
    private readonly CellChunks _spans;
    private readonly CellChunks _edges;

    /// <param name="spans">Whose spans are added up.</param>
    /// <param name="edges">Whose edges are.</param>
    public RollupMerge(IReadOnlyList<RollupSource> spans, IReadOnlyList<RollupSource> edges)
    {
        Groups = new SpanGroups(_owners, _strings);
        Edges = new EdgeGroups(_strings) { IsKnown = edges.All(input => input.Edges.IsKnown) };
        int[][] groupNumbers = [.. spans.Select(input => MapGroups(input.Groups))];
        int[][] edgeNumbers = [.. edges.Select(input => MapEdges(input.Edges))];
        _spans = AddUp([.. spans.Select(input => input.SpanCells(RollupView.Resource, RollupTier.Minute)!)], groupNumbers, Groups.Count);
        _edges = AddUp([.. edges.Select(input => input.EdgeCells(RollupTier.Minute)!)], edgeNumbers, Edges.Count);
    }

    public override SpanGroups Groups { get; }

    public override EdgeGroups Edges { get; }

    public override CellChunks? SpanCells(RollupView view, RollupTier tier) => view == RollupView.Resource && tier == RollupTier.Minute ? _spans : null;

    public override CellChunks? EdgeCells(RollupTier tier) => tier == RollupTier.Minute ? _edges : null;

    /// <summary>All chunks as one.</summary>
    public static RollupCells All(CellChunks chunks, int groups) => chunks.Count == 1
        ? chunks.Load(0)
        : AddUp([.. Enumerable.Range(0, chunks.Count).Select(chunks.Load)], groups);

    /// <summary>Adds up cells of the same groups, of which the earlier inputs may lack the last.</summary>
    public static RollupCells AddUp(IReadOnlyList<RollupCells> inputs, int groups) =>
        AddUp([.. inputs.Select(cells => (cells, Enumerable.Range(0, cells.GroupCount).ToArray()))], int.MinValue, int.MaxValue, groups);

    /// <param name="numbers">For each group of the cells, the group of the output.</param>
    public static RollupCells AddUp(RollupCells cells, int[] numbers, int groups) => AddUp([(cells, numbers)], int.MinValue, int.MaxValue, groups);

    private int[] MapGroups(SpanGroups from)
    {
        var copier = new BatchCopier(from.Owners, _owners, expectedRows: 1);
        var names = MapStrings(from.Strings);
        var numbers = new int[from.Count];
        for (var group = 0; group < numbers.Length; group++)
        {
            var resource = from.Resources[group];
            numbers[group] = Groups.NumberOf(
                resource < 0 ? SpanGroups.Unknown : copier.CopyResource(resource), from.Names[group] < 0 ? SpanGroups.Unknown : names(from.Names[group]),
                from.Kinds[group], from.Statuses[group], from.Roots[group]);
        }
        return numbers;
    }

    private int[] MapEdges(EdgeGroups from)
    {
        var strings = MapStrings(from.Strings);
        var numbers = new int[from.Count];
        Edges.IsTruncated |= from.IsTruncated;
        for (var edge = 0; edge < numbers.Length; edge++)
        {
            numbers[edge] = Edges.NumberOf(
                strings(from.Clients[edge]), strings(from.Servers[edge]), (EdgeKind)from.Kinds[edge], strings(from.Systems[edge]), strings(from.Operations[edge]));
        }
        return numbers;
    }

    private Func<int, int> MapStrings(StringTable from)
    {
        var map = new int[from.Count];
        return code => code == 0 ? 0 : map[code] != 0 ? map[code] : map[code] = _strings.Intern(from[code]);
    }

    private static CellChunks AddUp(CellChunks[] inputs, int[][] numbers, int groups)
    {
        var windows = Windows(inputs);
        // A chunk longer than a window is asked for again by the next.
        var last = new (int Chunk, RollupCells? Cells)[inputs.Length];
        return new CellChunks([.. windows.Select(window => new CellBounds(window.From, window.To - 1, window.Cells))], index =>
        {
            var (from, to, _) = windows[index];
            var cells = new List<(RollupCells Cells, int[] Numbers)>();
            for (var input = 0; input < inputs.Length; input++)
            {
                for (var chunk = inputs[input].FirstFrom(from); chunk < inputs[input].Count && inputs[input].BoundsOf(chunk).FirstSlot < to; chunk++)
                {
                    if (last[input].Cells is null || last[input].Chunk != chunk)
                    {
                        last[input] = (chunk, inputs[input].Load(chunk));
                    }
                    cells.Add((last[input].Cells!, numbers[input]));
                }
            }
            return AddUp(cells, from, to, groups);
        });
    }

    /// <summary>Pieces of time in whole hours; each ends where the first of its chunks does, so there are no more than chunks.</summary>
    private static List<(int From, int To, int Cells)> Windows(CellChunks[] inputs)
    {
        var windows = new List<(int From, int To, int Cells)>();
        var next = new int[inputs.Length];
        for (var from = int.MinValue; ;)
        {
            var (first, end) = (int.MaxValue, int.MaxValue);
            for (var input = 0; input < inputs.Length; input++)
            {
                while (next[input] < inputs[input].Count && inputs[input].BoundsOf(next[input]).LastSlot < from)
                {
                    next[input]++;
                }
                if (next[input] < inputs[input].Count)
                {
                    first = Math.Min(first, Math.Max(from, inputs[input].BoundsOf(next[input]).FirstSlot));
                    end = Math.Min(end, inputs[input].BoundsOf(next[input]).LastSlot);
                }
            }
            if (first == int.MaxValue)
            {
                return windows;
            }
            from = RollupTiers.SlotOf(first, WindowMinutes) * WindowMinutes;
            var to = (RollupTiers.SlotOf(end, WindowMinutes) + 1) * WindowMinutes;
            var cells = inputs.Select((chunks, input) => next[input] < chunks.Count ? (long)chunks.BoundsOf(next[input]).Cells : 0).Sum();
            windows.Add((from, to, (int)Math.Min(cells, int.MaxValue)));
            from = to;
        }
    }

    /// <param name="inputs">Cells, and for each of their groups the group of the output, or -1.</param>
    private static RollupCells AddUp(IReadOnlyList<(RollupCells Cells, int[] Numbers)> inputs, int from, int to, int groups)
    {
        var members = new List<(int Input, int Group)>?[groups];
        for (var input = 0; input < inputs.Count; input++)
        {
            for (var group = 0; group < inputs[input].Cells.GroupCount; group++)
            {
                if (inputs[input].Numbers[group] is var number and >= 0)
                {
                    (members[number] ??= []).Add((input, group));
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
                var (start, end) = inputs[input].Cells.CellsOf(inputGroup, from, to);
                if (start < end)
                {
                    queue.Enqueue((input, start, end), inputs[input].Cells.SlotOf(start));
                }
            }
            while (queue.TryDequeue(out var first, out var slot))
            {
                var cells = inputs[first.Input].Cells;
                if (!queue.TryPeek(out _, out var nextSlot) || nextSlot != slot)
                {
                    writer.Copy(slot, cells.ContentOf(first.Cell));
                    GoOn(first);
                    continue;
                }
                cells.AddTo(sum, first.Cell, withDurations: true);
                GoOn(first);
                while (queue.TryPeek(out var next, out nextSlot) && nextSlot == slot)
                {
                    queue.Dequeue();
                    inputs[next.Input].Cells.AddTo(sum, next.Cell, withDurations: true);
                    GoOn(next);
                }
                writer.Add(slot, sum);
            }
            writer.EndGroup();
        }
        return writer.ToCells();

        void GoOn((int Input, int Cell, int End) place)
        {
            if (place.Cell + 1 < place.End)
            {
                queue.Enqueue((place.Input, place.Cell + 1, place.End), inputs[place.Input].Cells.SlotOf(place.Cell + 1));
            }
        }
    }
}
