using System.Text;
using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Embedded.Search;

/// <summary>Builds the coded columns of a batch, which keeps attributes row by row.</summary>
internal static class HeadColumns
{
    public static CodedColumn? Build(HeadSource source, Field field)
    {
        var batch = source.Batch;
        var spans = batch.Signal == Signal.Traces;
        return field.Intrinsic switch
        {
            Intrinsic.Name => new CodedColumn(batch.Name.Memory, source.Strings),
            Intrinsic.StatusMessage when spans => new CodedColumn(batch.StatusMessage.Memory, source.Strings),
            Intrinsic.SeverityText when !spans => new CodedColumn(batch.SeverityText.Memory, source.Strings),
            Intrinsic.Body when !spans => Body(batch),
            Intrinsic.None when field.Scope == FieldScope.Record => Attribute(batch, field.Key),
            _ => throw new InvalidOperationException($"{field} is not a coded column of {batch.Signal}"),
        };
    }

    private static CodedColumn? Attribute(ColumnBatch batch, string key)
    {
        var keyCode = batch.Strings.Find(Encoding.UTF8.GetBytes(key));
        var table = batch.Attributes;
        var entry = keyCode < 0 ? -1 : table.Keys.IndexOf(keyCode);
        if (entry < 0)
        {
            return null;
        }
        var codes = new int[batch.Rows];
        Array.Fill(codes, -1);
        var values = new DistinctValues();
        var row = 0;
        while (entry < table.EntryCount)
        {
            while (table.Start(row + 1) <= entry)
            {
                row++;
            }
            codes[row] = values.CodeOf(table.Types[entry], table.Bits[entry]);
            var next = table.Keys[(entry + 1)..].IndexOf(keyCode);
            entry = next < 0 ? table.EntryCount : entry + 1 + next;
        }
        return new CodedColumn(codes, values.ToDictionary(batch.Strings));
    }

    /// <summary>A record without a body has code -1.</summary>
    private static CodedColumn Body(ColumnBatch batch)
    {
        var codes = new int[batch.Rows];
        var values = new DistinctValues();
        for (var row = 0; row < codes.Length; row++)
        {
            var type = batch.BodyType[row];
            codes[row] = type == AttributeType.Empty ? -1 : values.CodeOf(type, batch.BodyBits[row]);
        }
        return new CodedColumn(codes, values.ToDictionary(batch.Strings));
    }

    private sealed class DistinctValues
    {
        private readonly Dictionary<(AttributeType Type, long Bits), int> _codes = [];
        private readonly List<AttributeType> _types = [];
        private readonly List<long> _bits = [];
        private (AttributeType Type, long Bits) _last;
        private int _lastCode = -1;

        public int CodeOf(AttributeType type, long bits)
        {
            if (_lastCode >= 0 && _last == (type, bits))
            {
                return _lastCode;
            }
            if (!_codes.TryGetValue((type, bits), out var code))
            {
                code = _types.Count;
                _codes.Add((type, bits), code);
                _types.Add(type);
                _bits.Add(bits);
            }
            _last = (type, bits);
            _lastCode = code;
            return code;
        }

        public HeadDictionary ToDictionary(StringTable strings) => new([.. _types], [.. _bits], strings);
    }
}
