using System.Runtime.CompilerServices;
using System.Text;
using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Embedded.Search;

/// <summary>Verdicts of one predicate on the values of dictionaries, each value judged once.</summary>
internal sealed class Verdicts(ValuePredicate predicate)
{
    private const byte Unknown = 0;
    private const byte No = 1;
    private const byte Yes = 2;

    /// <summary>Does not keep the dictionary of a block alive, with all its values, once the block is closed.</summary>
    private readonly ConditionalWeakTable<ValueDictionary, byte[]> _verdicts = [];

    /// <summary>Sets the rows of <paramref name="within"/> whose value matches; those without a value are not set.</summary>
    public void Judge(CodedColumn column, ReadOnlySpan<ulong> within, Span<ulong> result)
    {
        var codes = column.Codes.Span;
        var verdicts = Of(column.Values);
        result.Clear();
        foreach (var row in new RowEnumerator(within))
        {
            var code = codes[row];
            if (code >= 0 && (verdicts[code] == Unknown ? Judge(column.Values, code, verdicts) : verdicts[code]) == Yes)
            {
                RowMask.Add(result, row);
            }
        }
    }

    private byte Judge(ValueDictionary values, int code, byte[] verdicts) =>
        verdicts[code] = predicate.Matches(values.GetType(code), values.GetBits(code), values.GetContent(code)) ? Yes : No;

    private byte[] Of(ValueDictionary values)
    {
        if (!_verdicts.TryGetValue(values, out var verdicts))
        {
            verdicts = new byte[values.Count];
            _verdicts.Add(values, verdicts);
        }
        return verdicts;
    }
}

/// <summary>An attribute of the record, or a string that every record has.</summary>
internal sealed class ColumnNode(Field field, ValuePredicate predicate) : FilterNode
{
    private readonly Verdicts _verdicts = new(predicate);

    public override int Cost => 3;

    public override bool MayMatch(RowSource source, int block) =>
        predicate.RequiredValues.Count == 0 || predicate.RequiredValues.Any(value => source.MayEqual(block, field, value));

    public override void Evaluate(RowSource source, RowBlock block, ReadOnlySpan<ulong> within, Span<ulong> result)
    {
        if (block.GetColumn(field) is { } column)
        {
            _verdicts.Judge(column, within, result);
        }
        else
        {
            result.Clear();
        }
    }
}

/// <summary>A predicate on resources, or on scopes: judged once for each in a source.</summary>
internal sealed class OwnerVerdicts(Field field, ValuePredicate predicate)
{
    private readonly byte[] _key = Encoding.UTF8.GetBytes(field.Key);
    private readonly Dictionary<RowSource, bool[]> _verdicts = new(ReferenceEqualityComparer.Instance);

    public bool OfScopes { get; } = field.Scope == FieldScope.InstrumentationScope || field.Intrinsic is Intrinsic.ScopeName or Intrinsic.ScopeVersion;

    public bool[] Of(RowSource source)
    {
        if (!_verdicts.TryGetValue(source, out var verdicts))
        {
            verdicts = Judge(source.Owners);
            _verdicts.Add(source, verdicts);
        }
        return verdicts;
    }

    public ReadOnlySpan<int> Owners(RowBlock block) => OfScopes ? block.Scopes : block.Resources;

    private bool[] Judge(ColumnBatch owners)
    {
        var table = OfScopes ? owners.ScopeAttributes : owners.ResourceAttributes;
        var verdicts = new bool[table.OwnerCount];
        if (field.Intrinsic is Intrinsic.ScopeName or Intrinsic.ScopeVersion)
        {
            var names = field.Intrinsic == Intrinsic.ScopeName ? owners.ScopeName : owners.ScopeVersion;
            for (var owner = 0; owner < verdicts.Length; owner++)
            {
                verdicts[owner] = predicate.Matches(AttributeType.String, 0, owners.Strings[names[owner]]);
            }
            return verdicts;
        }
        var key = owners.Strings.Find(_key);
        for (var owner = 0; key >= 0 && owner < verdicts.Length; owner++)
        {
            verdicts[owner] = table.Find(owner, key) is var entry and >= 0 && AttributeEntry.Matches(predicate, table, entry, owners.Strings);
        }
        return verdicts;
    }
}

internal static class AttributeEntry
{
    public static bool Matches(ValuePredicate predicate, AttributeTable table, int entry, StringTable strings)
    {
        var type = table.Types[entry];
        var bits = table.Bits[entry];
        return type.HasContent()
            ? predicate.Matches(type, 0, strings[(int)bits])
            : predicate.Matches(type, bits, []);
    }
}

/// <summary>An attribute of the resource or the instrumentation scope, or the scope's name or version.</summary>
internal sealed class OwnerNode(Field field, ValuePredicate predicate) : FilterNode
{
    private readonly OwnerVerdicts _verdicts = new(field, predicate);

    public override int Cost => 2;

    public override bool MayMatch(RowSource source) => Array.IndexOf(_verdicts.Of(source), true) >= 0;

    public override bool MayMatch(RowSource source, int block) =>
        predicate.RequiredValues.Count == 0 || predicate.RequiredValues.Any(value => source.MayEqual(block, field, value));

    public override void Evaluate(RowSource source, RowBlock block, ReadOnlySpan<ulong> within, Span<ulong> result)
    {
        result.Clear();
        ReadOnlySpan<bool> verdicts = _verdicts.Of(source);
        var owners = _verdicts.Owners(block);
        foreach (var row in new RowEnumerator(within))
        {
            if (verdicts[owners[row]])
            {
                RowMask.Add(result, row);
            }
        }
    }
}

/// <summary>The record's own attribute if it has one, else its resource's.</summary>
internal sealed class AnyScopeNode(string key, ValuePredicate predicate) : FilterNode
{
    private readonly Field _record = Field.Attribute(FieldScope.Record, key);
    private readonly Field _resource = Field.Attribute(FieldScope.Resource, key);
    private readonly Verdicts _verdicts = new(predicate);
    private readonly OwnerVerdicts _owners = new(Field.Attribute(FieldScope.Resource, key), predicate);

    public override int Cost => 4;

    public override bool MayMatch(RowSource source, int block) =>
        predicate.RequiredValues.Count == 0
        || predicate.RequiredValues.Any(value => source.MayEqual(block, _record, value) || source.MayEqual(block, _resource, value));

    public override void Evaluate(RowSource source, RowBlock block, ReadOnlySpan<ulong> within, Span<ulong> result)
    {
        var column = block.GetColumn(_record);
        if (column is null)
        {
            result.Clear();
        }
        else
        {
            _verdicts.Judge(column, within, result);
        }
        ReadOnlySpan<bool> verdicts = _owners.Of(source);
        if (!verdicts.Contains(true))
        {
            return;
        }
        var resources = block.Resources;
        var codes = column is null ? default : column.Codes.Span;
        foreach (var row in new RowEnumerator(within))
        {
            if ((codes.IsEmpty || codes[row] < 0) && verdicts[resources[row]])
            {
                RowMask.Add(result, row);
            }
        }
    }
}

/// <summary>Any event, or any link, of the span has a matching attribute or name.</summary>
internal sealed class ChildNode(Field field, ValuePredicate predicate) : FilterNode
{
    private readonly byte[] _key = Encoding.UTF8.GetBytes(field.Key);

    public override int Cost => 20;

    public override void Evaluate(RowSource source, RowBlock block, ReadOnlySpan<ulong> within, Span<ulong> result)
    {
        result.Clear();
        var children = field.Scope == FieldScope.Link ? block.Links : block.Events;
        if (children is null)
        {
            return;
        }
        var key = field.Intrinsic == Intrinsic.EventName ? 0 : children.Strings.Find(_key);
        if (key < 0)
        {
            return;
        }
        var ends = children.Ends.Span;
        foreach (var row in new RowEnumerator(within))
        {
            for (var child = row == 0 ? children.First : ends[row - 1]; child < ends[row]; child++)
            {
                if (Matches(children, child, key))
                {
                    RowMask.Add(result, row);
                    break;
                }
            }
        }
    }

    private bool Matches(ChildRows children, int child, int key)
    {
        if (field.Intrinsic == Intrinsic.EventName)
        {
            return predicate.Matches(AttributeType.String, 0, children.Strings[children.Names.Span[child]]);
        }
        var entry = children.Attributes.Find(child, key);
        return entry >= 0 && AttributeEntry.Matches(predicate, children.Attributes, entry, children.Strings);
    }
}

/// <summary>Trace id, span id or parent span id equal to a literal (or not); or, without a literal, not zero.</summary>
internal sealed class IdNode(Intrinsic intrinsic, bool negated, TraceId literal, bool present) : FilterNode
{
    private readonly Dictionary<RowSource, List<int>> _blocks = new(ReferenceEqualityComparer.Instance);

    public override int Cost => 2;

    public override bool MayMatch(RowSource source) => !Prunes || BlocksOf(source).Count > 0;

    public override bool MayMatch(RowSource source, int block) => !Prunes || BlocksOf(source).Contains(block);

    private bool Prunes => intrinsic == Intrinsic.TraceId && !negated && !present;

    public override void Evaluate(RowSource source, RowBlock block, ReadOnlySpan<ulong> within, Span<ulong> result)
    {
        result.Clear();
        if (intrinsic == Intrinsic.TraceId)
        {
            var ids = block.TraceIds;
            foreach (var row in new RowEnumerator(within))
            {
                if (!ids[row].IsZero && (present || ids[row] == literal != negated))
                {
                    RowMask.Add(result, row);
                }
            }
            return;
        }
        var parents = intrinsic == Intrinsic.ParentSpanId;
        var spanIds = parents ? block.ParentSpanIds : block.SpanIds;
        var wanted = new SpanId(literal.Low);
        foreach (var row in new RowEnumerator(within))
        {
            // A root's parent id is the text "", a value like another; a log record outside any span lacks a span id.
            var id = spanIds[row];
            if (present ? !id.IsZero : (parents || !id.IsZero) && id == wanted != negated)
            {
                RowMask.Add(result, row);
            }
        }
    }

    private List<int> BlocksOf(RowSource source)
    {
        if (!_blocks.TryGetValue(source, out var blocks))
        {
            blocks = [];
            source.FindTrace(literal, blocks);
            _blocks.Add(source, blocks);
        }
        return blocks;
    }
}

/// <summary>A fact about the row's whole trace.</summary>
internal sealed class TraceNode(Intrinsic intrinsic, ValuePredicate predicate, TraceFacts facts) : FilterNode
{
    private readonly Dictionary<int, bool> _verdicts = [];

    public override int Cost => 1000;

    public override void Evaluate(RowSource source, RowBlock block, ReadOnlySpan<ulong> within, Span<ulong> result)
    {
        result.Clear();
        facts.Load(block, within);
        var ids = block.TraceIds;
        foreach (var row in new RowEnumerator(within))
        {
            if (facts.TryGet(ids[row], out var fact) && Matches(fact))
            {
                RowMask.Add(result, row);
            }
        }
    }

    private bool Matches(in TraceFact fact)
    {
        if (intrinsic == Intrinsic.TraceDuration)
        {
            return predicate.Matches(AttributeType.Int64, fact.DurationNano, []);
        }
        var text = intrinsic == Intrinsic.RootName ? fact.RootName : fact.RootServiceName;
        if (!_verdicts.TryGetValue(text, out var verdict))
        {
            verdict = predicate.Matches(AttributeType.String, 0, facts.Strings[text]);
            _verdicts.Add(text, verdict);
        }
        return verdict;
    }
}
