using Apm.Storage.Columns;
using Apm.Telemetry;

namespace Apm.Query.Traces;

/// <summary>
/// The spans of a trace as a forest, depth first, siblings by start. Every span appears once, whatever the parent ids say: a span without a stored parent is a
/// root, a span that is its own parent too, and a cycle of parents is cut at its earliest span. Iterative, so that a chain of 100,000 spans is no deeper than one.
/// </summary>
internal sealed class TraceTree
{
    private const int None = -1;

    private TraceTree(int[] source, int[] parent, int[] depth, int[] firstChild, int[] nextSibling, List<(int, SpanId)> missingParents, int selfParents, int cycles)
    {
        Source = source;
        Parent = parent;
        Depth = depth;
        FirstChild = firstChild;
        NextSibling = nextSibling;
        MissingParents = missingParents;
        SelfParents = selfParents;
        Cycles = cycles;
    }

    public int Count => Source.Length;

    /// <summary>Row of the batch for each row of the tree.</summary>
    public int[] Source { get; }

    /// <summary>Row of the parent, or -1. A parent's row is always less than its children's.</summary>
    public int[] Parent { get; }

    public int[] Depth { get; }

    /// <summary>Earliest child, or -1.</summary>
    public int[] FirstChild { get; }

    /// <summary>The next later child of the same parent, or -1.</summary>
    public int[] NextSibling { get; }

    /// <summary>Rows whose parent is named but not stored.</summary>
    public IReadOnlyList<(int Row, SpanId ParentSpanId)> MissingParents { get; }

    /// <summary>Spans that name themselves as their parent.</summary>
    public int SelfParents { get; }

    /// <summary>Cycles of parents that were cut.</summary>
    public int Cycles { get; }

    /// <param name="spans">Ordered by start, each span once.</param>
    public static TraceTree Of(ColumnBatch spans)
    {
        var parents = FindParents(spans, out var missing, out var selfParents);
        var cycles = CutCycles(parents);
        var count = spans.Rows;
        var firstChild = new int[count];
        var nextSibling = new int[count];
        Array.Fill(firstChild, None);
        Array.Fill(nextSibling, None);
        // From the last to the first, so that each list begins with the earliest.
        var firstRoot = None;
        for (var row = count - 1; row >= 0; row--)
        {
            ref var first = ref parents[row] < 0 ? ref firstRoot : ref firstChild[parents[row]];
            nextSibling[row] = first;
            first = row;
        }
        return Order(parents, firstChild, nextSibling, firstRoot, missing, selfParents, cycles);
    }

    private static int[] FindParents(ColumnBatch spans, out List<(int Row, SpanId ParentSpanId)> missing, out int selfParents)
    {
        var rows = new Dictionary<SpanId, int>(spans.Rows);
        for (var row = 0; row < spans.Rows; row++)
        {
            rows.TryAdd(spans.SpanId[row], row);
        }
        missing = [];
        selfParents = 0;
        var parents = new int[spans.Rows];
        for (var row = 0; row < parents.Length; row++)
        {
            var id = spans.ParentSpanId[row];
            parents[row] = None;
            if (id.IsZero)
            {
                continue;
            }
            if (!rows.TryGetValue(id, out var parent))
            {
                missing.Add((row, id));
            }
            else if (parent == row)
            {
                selfParents++;
            }
            else
            {
                parents[row] = parent;
            }
        }
        return parents;
    }

    /// <summary>Walks up from every row, once over each; a walk that meets itself has found a cycle.</summary>
    private static int CutCycles(int[] parents)
    {
        var walk = new int[parents.Length];
        var cycles = 0;
        for (var row = 0; row < parents.Length; row++)
        {
            var current = row;
            while (current >= 0 && walk[current] == 0)
            {
                walk[current] = row + 1;
                current = parents[current];
            }
            if (current >= 0 && walk[current] == row + 1)
            {
                var earliest = current;
                for (var member = parents[current]; member != current; member = parents[member])
                {
                    earliest = Math.Min(earliest, member);
                }
                parents[earliest] = None;
                cycles++;
            }
        }
        return cycles;
    }

    private static TraceTree Order(
        int[] parents, int[] firstChild, int[] nextSibling, int firstRoot, List<(int Row, SpanId ParentSpanId)> missing, int selfParents, int cycles)
    {
        var count = parents.Length;
        var source = new int[count];
        var place = new int[count];
        var depth = new int[count];
        var next = 0;
        var currentDepth = 0;
        for (var current = firstRoot; current != None;)
        {
            source[next] = current;
            place[current] = next;
            depth[next++] = currentDepth;
            if (firstChild[current] != None)
            {
                current = firstChild[current];
                currentDepth++;
                continue;
            }
            while (current != None && nextSibling[current] == None)
            {
                current = parents[current];
                currentDepth--;
            }
            current = current == None ? None : nextSibling[current];
        }
        int[] Placed(int[] links)
        {
            var placed = new int[count];
            for (var row = 0; row < count; row++)
            {
                var link = links[source[row]];
                placed[row] = link < 0 ? None : place[link];
            }
            return placed;
        }
        return new TraceTree(
            source, Placed(parents), depth, Placed(firstChild), Placed(nextSibling),
            [.. missing.Select(entry => (place[entry.Row], entry.ParentSpanId)).Order()], selfParents, cycles);
    }
}
