using System.Text;
using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Embedded.Search;

/// <summary>
/// Reads one field of a block's rows as numbers of <see cref="Values"/>. Of several events or links of a span the first that has the attribute counts.
/// Used by one thread.
/// </summary>
internal sealed class FieldReader
{
    private readonly Signal _signal;
    private readonly TraceFacts _facts;
    private readonly byte[] _key;
    private readonly Field _recordField;
    private readonly Dictionary<RowSource, int[]> _owners = new(ReferenceEqualityComparer.Instance);
    private readonly bool _ofScopes;

    public FieldReader(Field field, Signal signal, int maxValues, TraceFacts facts)
    {
        Field = field;
        Values = new ValueNumbers(maxValues);
        _signal = signal;
        _facts = facts;
        _key = Encoding.UTF8.GetBytes(field.Key);
        _recordField = field.Scope == FieldScope.Any ? Field.Attribute(FieldScope.Record, field.Key) : field;
        _ofScopes = field.Scope == FieldScope.InstrumentationScope || field.Intrinsic is Intrinsic.ScopeName or Intrinsic.ScopeVersion;
    }

    public Field Field { get; }

    public ValueNumbers Values { get; }

    /// <summary>Writes the numbers of the rows in <paramref name="rows"/>; the others are left as they are.</summary>
    public void Read(RowSource source, RowBlock block, ReadOnlySpan<ulong> rows, Span<int> numbers)
    {
        switch (Field.Scope)
        {
            case FieldScope.Record or FieldScope.Any:
                ReadColumn(block, rows, numbers);
                if (Field.Scope == FieldScope.Any)
                {
                    ReadOwners(source, block.Resources, rows, numbers, onlyMissing: true);
                }
                break;
            case FieldScope.Resource:
                ReadOwners(source, block.Resources, rows, numbers, onlyMissing: false);
                break;
            case FieldScope.InstrumentationScope:
                ReadOwners(source, block.Scopes, rows, numbers, onlyMissing: false);
                break;
            case FieldScope.Event or FieldScope.Link when _signal == Signal.Traces:
                ReadChildren(Field.Scope == FieldScope.Event ? block.Events : block.Links, rows, numbers);
                break;
            case FieldScope.Intrinsic when Fields.Has(_signal, Field.Intrinsic):
                ReadIntrinsic(source, block, rows, numbers);
                break;
            default:
                Clear(rows, numbers);
                break;
        }
    }

    private static void Clear(ReadOnlySpan<ulong> rows, Span<int> numbers)
    {
        foreach (var row in new RowEnumerator(rows))
        {
            numbers[row] = ValueNumbers.None;
        }
    }

    private void ReadColumn(RowBlock block, ReadOnlySpan<ulong> rows, Span<int> numbers)
    {
        if (block.GetColumn(_recordField) is { } column)
        {
            Values.Read(column, rows, numbers);
        }
        else
        {
            Clear(rows, numbers);
        }
    }

    private void ReadOwners(RowSource source, ReadOnlySpan<int> owners, ReadOnlySpan<ulong> rows, Span<int> numbers, bool onlyMissing)
    {
        ReadOnlySpan<int> ownerNumbers = OwnersOf(source);
        foreach (var row in new RowEnumerator(rows))
        {
            if (!onlyMissing || numbers[row] == ValueNumbers.None)
            {
                numbers[row] = ownerNumbers[owners[row]];
            }
        }
    }

    private int[] OwnersOf(RowSource source)
    {
        if (_owners.TryGetValue(source, out var numbers))
        {
            return numbers;
        }
        var owners = source.Owners;
        var table = _ofScopes ? owners.ScopeAttributes : owners.ResourceAttributes;
        numbers = new int[table.OwnerCount];
        var key = owners.Strings.Find(_key);
        for (var owner = 0; owner < numbers.Length; owner++)
        {
            numbers[owner] = Field.Intrinsic switch
            {
                Intrinsic.ScopeName => Values.NumberOf(AttributeType.String, 0, owners.Strings[owners.ScopeName[owner]]),
                Intrinsic.ScopeVersion => Values.NumberOf(AttributeType.String, 0, owners.Strings[owners.ScopeVersion[owner]]),
                _ => key < 0 ? ValueNumbers.None : NumberOf(table, table.Find(owner, key), owners.Strings),
            };
        }
        _owners.Add(source, numbers);
        return numbers;
    }

    private int NumberOf(AttributeTable table, int entry, StringTable strings)
    {
        if (entry < 0)
        {
            return ValueNumbers.None;
        }
        var type = table.Types[entry];
        return type.HasContent()
            ? Values.NumberOf(type, 0, strings[(int)table.Bits[entry]])
            : Values.NumberOf(type, table.Bits[entry], []);
    }

    private void ReadChildren(ChildRows? children, ReadOnlySpan<ulong> rows, Span<int> numbers)
    {
        var key = children is null ? -1 : Field.Intrinsic == Intrinsic.EventName ? 0 : children.Strings.Find(_key);
        if (children is null || key < 0)
        {
            Clear(rows, numbers);
            return;
        }
        var ends = children.Ends.Span;
        foreach (var row in new RowEnumerator(rows))
        {
            numbers[row] = ValueNumbers.None;
            for (var child = row == 0 ? children.First : ends[row - 1]; child < ends[row] && numbers[row] == ValueNumbers.None; child++)
            {
                numbers[row] = Field.Intrinsic == Intrinsic.EventName
                    ? Values.NumberOf(AttributeType.String, 0, children.Strings[children.Names.Span[child]])
                    : NumberOf(children.Attributes, children.Attributes.Find(child, key), children.Strings);
            }
        }
    }

    private void ReadIntrinsic(RowSource source, RowBlock block, ReadOnlySpan<ulong> rows, Span<int> numbers)
    {
        switch (Field.Intrinsic)
        {
            case Intrinsic.Name or Intrinsic.StatusMessage or Intrinsic.SeverityText or Intrinsic.Body:
                ReadColumn(block, rows, numbers);
                break;
            case Intrinsic.Kind:
                ReadBytes(block.Kinds, rows, numbers);
                break;
            case Intrinsic.Status:
                ReadBytes(block.Statuses, rows, numbers);
                break;
            case Intrinsic.Severity:
                ReadBytes(block.SeverityNumbers, rows, numbers);
                break;
            case Intrinsic.Duration:
                ReadDurations(block.DurationNano, rows, numbers);
                break;
            case Intrinsic.ScopeName or Intrinsic.ScopeVersion:
                ReadOwners(source, block.Scopes, rows, numbers, onlyMissing: false);
                break;
            case Intrinsic.EventName:
                ReadChildren(block.Events, rows, numbers);
                break;
            case Intrinsic.RootName or Intrinsic.RootServiceName or Intrinsic.TraceDuration:
                ReadFacts(block, rows, numbers);
                break;
            default:
                ReadIds(block, rows, numbers);
                break;
        }
    }

    private void ReadBytes(ReadOnlySpan<byte> values, ReadOnlySpan<ulong> rows, Span<int> numbers)
    {
        Span<int> known = stackalloc int[256];
        known.Fill(ValueNumbers.None);
        foreach (var row in new RowEnumerator(rows))
        {
            ref var number = ref known[values[row]];
            number = number == ValueNumbers.None ? Values.NumberOf(AttributeType.Int64, values[row], []) : number;
            numbers[row] = number;
        }
    }

    private void ReadDurations(ReadOnlySpan<long> durations, ReadOnlySpan<ulong> rows, Span<int> numbers)
    {
        foreach (var row in new RowEnumerator(rows))
        {
            numbers[row] = Values.NumberOf(AttributeType.Int64, durations[row], []);
        }
    }

    private void ReadFacts(RowBlock block, ReadOnlySpan<ulong> rows, Span<int> numbers)
    {
        _facts.Load(block, rows);
        var ids = block.TraceIds;
        foreach (var row in new RowEnumerator(rows))
        {
            numbers[row] = !_facts.TryGet(ids[row], out var fact) ? ValueNumbers.None
                : Field.Intrinsic == Intrinsic.TraceDuration ? Values.NumberOf(AttributeType.Int64, fact.DurationNano, [])
                : Values.NumberOf(AttributeType.String, 0, _facts.Strings[Field.Intrinsic == Intrinsic.RootName ? fact.RootName : fact.RootServiceName]);
        }
    }

    private void ReadIds(RowBlock block, ReadOnlySpan<ulong> rows, Span<int> numbers)
    {
        Span<byte> text = stackalloc byte[TraceId.SizeBytes * 2];
        foreach (var row in new RowEnumerator(rows))
        {
            if (Field.Intrinsic == Intrinsic.TraceId)
            {
                var id = block.TraceIds[row];
                WriteHex(id.High, text);
                WriteHex(id.Low, text[16..]);
                numbers[row] = id.IsZero ? ValueNumbers.None : Values.NumberOf(AttributeType.String, 0, text);
                continue;
            }
            var parent = Field.Intrinsic == Intrinsic.ParentSpanId;
            var spanId = (parent ? block.ParentSpanIds : block.SpanIds)[row];
            WriteHex(spanId.Value, text);
            numbers[row] = !spanId.IsZero ? Values.NumberOf(AttributeType.String, 0, text[..16])
                : parent ? Values.NumberOf(AttributeType.String, 0, [])
                : ValueNumbers.None;
        }
    }

    private static void WriteHex(ulong value, Span<byte> text) => value.TryFormat(text, out _, "x16", System.Globalization.CultureInfo.InvariantCulture);
}
