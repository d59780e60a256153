using Apm.Storage.Columns;
using Apm.Storage.Embedded.Encodings;
using Apm.Telemetry.Attributes;

namespace Apm.Storage.Embedded.Parts;

/// <summary>The values of one column's dictionaries in all inputs, each once. One thread.</summary>
internal sealed class MergeDictionary
{
    private readonly StringTable _contents = new();
    private readonly Dictionary<(AttributeType Type, long Bits), int> _codes = [];
    private readonly List<(AttributeType Type, long Bits)> _values = [];

    public int Count => _values.Count;

    /// <summary>Bytes of content of the values.</summary>
    public long ContentBytes { get; private set; }

    /// <summary>Adds the values that are not there yet; returns the code of each.</summary>
    public int[] Join(ValueList values)
    {
        var map = new int[values.Count];
        for (var code = 0; code < map.Length; code++)
        {
            var type = values.GetType(code);
            var content = values.GetContent(code);
            var value = (type, type.HasContent() ? _contents.Intern(content) : values.GetBits(code));
            if (!_codes.TryGetValue(value, out map[code]))
            {
                map[code] = _values.Count;
                _codes.Add(value, map[code]);
                _values.Add(value);
                ContentBytes += content.Length;
            }
        }
        return map;
    }

    /// <summary>Leaves only the values that are used, and returns what each old code is now.</summary>
    public int[] Keep(bool[] used)
    {
        var map = new int[used.Length];
        var next = 0;
        for (var code = 0; code < used.Length; code++)
        {
            map[code] = next;
            if (used[code])
            {
                _values[next++] = _values[code];
            }
        }
        _values.RemoveRange(next, _values.Count - next);
        return map;
    }

    public void WriteTo(ValueListWriter writer)
    {
        foreach (var (type, bits) in _values)
        {
            writer.Add(type, bits, _contents);
        }
    }
}
