using Apm.Storage.Columns;
using Apm.Storage.Embedded.Encodings;

namespace Apm.Storage.Embedded.Parts;

/// <summary>
/// Reads the attributes of a block's records, events or links owner by owner, in their order, and adds them to a table. Owners ascend; those between are
/// passed over. One thread.
/// </summary>
internal sealed class PartAttributes
{
    private const int Unknown = -1;

    private readonly PartBlock _block;
    private readonly AttributeShapes _shapes;
    private readonly int[] _shapeOf;
    private readonly StringTable _strings;
    private readonly int[] _positions;
    private readonly Cursor?[] _cursors;
    private readonly int _expectedOwners;
    private int _next;

    /// <param name="owners">Records, events or links in the block.</param>
    /// <param name="strings">Of the table that attributes are added to.</param>
    public PartAttributes(PartBlock block, PlainColumn shapeColumn, AttributeShapes shapes, int owners, StringTable strings, int expectedOwners)
    {
        _block = block;
        _shapes = shapes;
        _shapeOf = block.Shapes(shapeColumn, owners, shapes).ToArray();
        _strings = strings;
        _positions = new int[shapes.Columns.Length];
        _cursors = new Cursor?[shapes.Columns.Length];
        _expectedOwners = expectedOwners;
    }

    /// <summary>Adds the owner's attributes to the open owner of <paramref name="target"/>.</summary>
    public void CopyTo(int owner, AttributeTable target)
    {
        for (; _next < owner; _next++)
        {
            foreach (var column in _shapes[_shapeOf[_next]])
            {
                _positions[column]++;
            }
        }
        _next = owner + 1;
        foreach (var column in _shapes[_shapeOf[owner]])
        {
            var cursor = _cursors[column] ??= Open(_shapes.Columns[column]);
            var position = _positions[column]++;
            if (position >= cursor.Entries)
            {
                throw _block.Corrupt(PlainColumn.RecordShape, $"'{_shapes.Columns[column].Name}' has fewer values than the shapes say");
            }
            var code = cursor.Codes[position];
            var type = cursor.Values.GetType(code);
            target.Add(cursor.KeyCode, type, type.HasContent() ? cursor.StringCode(code, _strings) : cursor.Values.GetBits(code));
        }
    }

    private Cursor Open(ValueColumn column)
    {
        var inBlock = _block.InBlock(column) ?? throw _block.Corrupt(PlainColumn.RecordShape, $"'{column.Name}' has no values in the block");
        var (codes, values) = _block.Dense(column, inBlock);
        return new Cursor(codes, inBlock.Entries, values, _strings.Intern(column.Key), values.Count <= _expectedOwners);
    }

    private sealed class Cursor
    {
        private readonly int[]? _stringCodes;

        public Cursor(int[] codes, int entries, ValueList values, int keyCode, bool remembersStrings)
        {
            Codes = codes;
            Entries = entries;
            Values = values;
            KeyCode = keyCode;
            if (remembersStrings)
            {
                _stringCodes = new int[values.Count];
                Array.Fill(_stringCodes, Unknown);
            }
        }

        public int[] Codes { get; }

        public int Entries { get; }

        public ValueList Values { get; }

        public int KeyCode { get; }

        public int StringCode(int code, StringTable strings)
        {
            if (_stringCodes is null)
            {
                return strings.Intern(Values.GetContent(code));
            }
            if (_stringCodes[code] == Unknown)
            {
                _stringCodes[code] = strings.Intern(Values.GetContent(code));
            }
            return _stringCodes[code];
        }
    }
}
