using Apm.Storage.Columns;

namespace Apm.Storage.Embedded.Parts;

/// <summary>Reads all events or links of a block as one table, for filters on them.</summary>
internal static class PartChildren
{
    public static ChildRows? Read(PartBlock block, PlainColumn countColumn, PlainColumn shapeColumn, ValueScope scope)
    {
        var ends = Ends(block, countColumn);
        var count = ends.Length == 0 ? 0 : ends[^1];
        if (count == 0)
        {
            return null;
        }
        var strings = new StringTable();
        var table = new AttributeTable();
        var shapes = scope == ValueScope.Event ? block.Directory.Events : block.Directory.Links;
        var attributes = new PartAttributes(block, shapeColumn, shapes, count, strings, count);
        for (var child = 0; child < count; child++)
        {
            attributes.CopyTo(child, table);
            table.EndOwner();
        }
        var names = scope == ValueScope.Event ? Strings(block, IntrinsicKey.EventName, count, strings) : [];
        return new ChildRows(ends, names, table, strings);
    }

    /// <summary>Per row: one past its last child.</summary>
    public static int[] Ends(PartBlock block, PlainColumn countColumn)
    {
        var counts = block.Ints(countColumn, block.Rows);
        var ends = new int[counts.Length];
        long end = 0;
        for (var row = 0; row < counts.Length; row++)
        {
            end += counts[row];
            if (counts[row] < 0 || end > PartFormat.MaxChunkBytes)
            {
                throw block.Corrupt(countColumn, $"row {row} has {counts[row]} children");
            }
            ends[row] = (int)end;
        }
        return ends;
    }

    private static int[] Strings(PartBlock block, string key, int count, StringTable strings)
    {
        var column = block.Directory.Find(ValueScope.Intrinsic, key);
        if (column is null || block.InBlock(column) is not { } inBlock || inBlock.Entries != count)
        {
            throw block.Corrupt(PlainColumn.EventCount, $"'{key}' is not there for {count} events");
        }
        var (codes, values) = block.Dense(column, inBlock);
        var names = new int[count];
        for (var i = 0; i < count; i++)
        {
            names[i] = strings.Intern(values.GetContent(codes[i]));
        }
        return names;
    }
}
