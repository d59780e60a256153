using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text;
using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Embedded.Search;

/// <summary>What one predicate says of the values of dictionaries, each value judged once. Used by one thread.</summary>
internal sealed class Verdicts(ValuePredicate predicate)
{
    /// <summary>Values of a dictionary that are judged all at once, though a search might meet few of them, by a predicate that is not cheap.</summary>
    private const int MaxJudgedAtOnce = 4_096;

    /// <summary>Share of a block's values from which on all of them are searched at once.</summary>
    private const int SearchedShare = 16;

    private const byte Unknown = 0;
    private const byte No = 1;
    private const byte Yes = 2;

    /// <summary>Does not keep a dictionary alive, with all its values, once its source is done.</summary>
    private readonly ConditionalWeakTable<ValueDictionary, CodeSet> _sets = [];
    private readonly ConditionalWeakTable<ValueDictionary, byte[]> _verdicts = [];
    private byte[] _ofBlock = [];
    private ulong[] _dense = [];

    /// <summary>The codes whose values match; null when the dictionary is too large to judge values that may never be met.</summary>
    public CodeSet? SetOf(ValueDictionary values)
    {
        if (values.IsOfBlock || (values.Count > MaxJudgedAtOnce && !predicate.IsCheap))
        {
            return null;
        }
        if (!_sets.TryGetValue(values, out var set))
        {
            var contains = new bool[values.Count];
            if (!TrySearch(values, contains))
            {
                for (var code = 0; code < contains.Length; code++)
                {
                    contains[code] = Matches(values, code);
                }
            }
            set = CodeSet.Of(contains);
            _sets.Add(values, set);
        }
        return set;
    }

    /// <summary>Sets the rows of <paramref name="within"/> whose value of the field matches; those without a value are not set.</summary>
    public void Judge(RowBlock block, Field field, ReadOnlySpan<ulong> within, Span<ulong> result)
    {
        if (block.GetDense(field) is { } dense)
        {
            Judge(dense, within, result);
        }
        else if (block.GetColumn(field) is { } column)
        {
            Judge(column, within, result);
        }
        else
        {
            result.Clear();
        }
    }

    private void Judge(DenseColumn column, ReadOnlySpan<ulong> within, Span<ulong> result)
    {
        var presence = column.Presence;
        presence.CopyTo(result);
        RowMask.And(result, within);
        if (predicate is PresentPredicate || RowMask.IsEmpty(result))
        {
            return;
        }
        var values = column.Values;
        var set = SetOf(values);
        if (set is { IsEmpty: true })
        {
            result.Clear();
            return;
        }
        var codes = column.Codes;
        var words = RowMask.WordCount(codes.Length);
        if (_dense.Length < words)
        {
            _dense = new ulong[words];
        }
        var found = _dense.AsSpan(0, words);
        if (set is not null)
        {
            set.Find(codes, found);
        }
        else if (!values.IsOfBlock || RowMask.Count(result) * SearchedShare < values.Count || !TrySearch(values, found))
        {
            JudgeRows(column, values, result);
            return;
        }
        RowMask.Spread(found, presence, result);
        RowMask.And(result, within);
    }

    /// <summary>Looks at the rows in the mask one by one, and removes those that do not match.</summary>
    private void JudgeRows(DenseColumn column, ValueDictionary values, Span<ulong> rows)
    {
        var presence = column.Presence;
        var codes = column.Codes;
        var verdicts = VerdictsOf(values);
        var before = 0;
        for (var word = 0; word < rows.Length; word++)
        {
            for (var bits = rows[word]; bits != 0; bits &= bits - 1)
            {
                var bit = bits & (~bits + 1);
                var code = codes[before + BitOperations.PopCount(presence[word] & (bit - 1))];
                if ((verdicts[code] == Unknown ? Judge(values, code, verdicts) : verdicts[code]) != Yes)
                {
                    rows[word] &= ~bit;
                }
            }
            before += BitOperations.PopCount(presence[word]);
        }
    }

    private void Judge(CodedColumn column, ReadOnlySpan<ulong> within, Span<ulong> result)
    {
        var codes = column.Codes.Span;
        var verdicts = VerdictsOf(column.Values);
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

    private bool Matches(ValueDictionary values, int code) => predicate.Matches(values.GetType(code), values.GetBits(code), values.GetContent(code));

    private byte Judge(ValueDictionary values, int code, Span<byte> verdicts) => verdicts[code] = Matches(values, code) ? Yes : No;

    private bool TrySearch(ValueDictionary values, Span<bool> matches)
    {
        var words = RowMask.WordCount(values.Count);
        var found = words <= 128 ? stackalloc ulong[words] : new ulong[words];
        if (!TrySearch(values, found))
        {
            return false;
        }
        foreach (var code in new RowEnumerator(found))
        {
            matches[code] = true;
        }
        return true;
    }

    /// <summary>Searches the contents of all values at once; false when the values or the predicate are not for that.</summary>
    private bool TrySearch(ValueDictionary values, Span<ulong> found)
    {
        if (!values.TryGetStrings(out var contents, out var ends))
        {
            return false;
        }
        found.Clear();
        return predicate.TrySearch(contents, ends, found);
    }

    private Span<byte> VerdictsOf(ValueDictionary values)
    {
        if (values.IsOfBlock)
        {
            if (_ofBlock.Length < values.Count)
            {
                _ofBlock = new byte[values.Count];
            }
            var scratch = _ofBlock.AsSpan(0, values.Count);
            scratch.Clear();
            return scratch;
        }
        if (!_verdicts.TryGetValue(values, out var verdicts))
        {
            verdicts = new byte[values.Count];
            _verdicts.Add(values, verdicts);
        }
        return verdicts;
    }
}

/// <summary>An attribute of the record, or a string that every record has.</summary>
internal sealed class ColumnNode : FilterNode
{
    private readonly Field _field;
    private readonly Verdicts _verdicts;
    private readonly ColumnPruning _pruning;

    public ColumnNode(Field field, ValuePredicate predicate)
    {
        _field = field;
        _verdicts = new Verdicts(predicate);
        _pruning = new ColumnPruning(field, predicate, _verdicts);
    }

    public override int Cost => 3;

    public override bool MayMatch(RowSource source) => _pruning.MayMatch(source);

    public override bool MayMatch(RowSource source, int block) => _pruning.MayMatch(source, block);

    public override string SkippedBy(RowSource source, int block) => _pruning.SkippedBy(source, block);

    public override void Evaluate(RowSource source, RowBlock block, ReadOnlySpan<ulong> within, Span<ulong> result) => _verdicts.Judge(block, _field, within, result);
}

/// <summary>A predicate on resources, or on scopes: judged once for each in a source.</summary>
internal sealed class OwnerVerdicts(Field field, ValuePredicate predicate)
{
    private readonly byte[] _key = Encoding.UTF8.GetBytes(field.Key);
    private readonly Dictionary<RowSource, CodeSet> _verdicts = new(ReferenceEqualityComparer.Instance);
    private readonly bool _ofScopes = field.Scope == FieldScope.InstrumentationScope || field.Intrinsic is Intrinsic.ScopeName or Intrinsic.ScopeVersion;

    public CodeSet Of(RowSource source)
    {
        if (!_verdicts.TryGetValue(source, out var verdicts))
        {
            verdicts = CodeSet.Of(Judge(source.Owners));
            _verdicts.Add(source, verdicts);
        }
        return verdicts;
    }

    public bool MayMatch(RowSource source, int block) => (Of(source).Mask & (_ofScopes ? ulong.MaxValue : source.ResourceMask(block))) != 0;

    /// <summary>Sets the rows whose resource (or scope) matches; overwrites the mask.</summary>
    public void Find(RowSource source, RowBlock block, Span<ulong> mask) => Of(source).Find(_ofScopes ? block.Scopes : block.Resources, mask);

    private bool[] Judge(ColumnBatch owners)
    {
        var table = _ofScopes ? owners.ScopeAttributes : owners.ResourceAttributes;
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

    public override bool MayMatch(RowSource source) => !_verdicts.Of(source).IsEmpty;

    public override bool MayMatch(RowSource source, int block) => _verdicts.MayMatch(source, block);

    public override string SkippedBy(RowSource source, int block) => "resources";

    public override void Evaluate(RowSource source, RowBlock block, ReadOnlySpan<ulong> within, Span<ulong> result)
    {
        _verdicts.Find(source, block, result);
        RowMask.And(result, within);
    }
}

/// <summary>The record's own attribute if it has one, else its resource's.</summary>
internal sealed class AnyScopeNode : FilterNode
{
    private readonly Field _record;
    private readonly Verdicts _verdicts;
    private readonly ColumnPruning _pruning;
    private readonly OwnerVerdicts _owners;
    private ulong[] _ofResource = [];

    public AnyScopeNode(string key, ValuePredicate predicate)
    {
        _record = Field.Attribute(FieldScope.Record, key);
        _verdicts = new Verdicts(predicate);
        _pruning = new ColumnPruning(_record, predicate, _verdicts);
        _owners = new OwnerVerdicts(Field.Attribute(FieldScope.Resource, key), predicate);
    }

    public override int Cost => 4;

    public override bool MayMatch(RowSource source) => _pruning.MayMatch(source) || !_owners.Of(source).IsEmpty;

    public override bool MayMatch(RowSource source, int block) => _pruning.MayMatch(source, block) || _owners.MayMatch(source, block);

    public override string SkippedBy(RowSource source, int block) => _pruning.SkippedBy(source, block);

    public override void Evaluate(RowSource source, RowBlock block, ReadOnlySpan<ulong> within, Span<ulong> result)
    {
        _verdicts.Judge(block, _record, within, result);
        if (!_owners.MayMatch(source, block.Index))
        {
            return;
        }
        var ofResource = Scratch(ref _ofResource, within.Length);
        _owners.Find(source, block, ofResource);
        RowMask.And(ofResource, within);
        RemovePresent(block, ofResource);
        RowMask.Or(result, ofResource);
    }

    /// <summary>Removes the rows that have the attribute themselves.</summary>
    private void RemovePresent(RowBlock block, Span<ulong> rows)
    {
        if (block.GetDense(_record) is { } dense)
        {
            RowMask.AndNot(rows, dense.Presence);
        }
        else if (block.GetColumn(_record) is { } column)
        {
            var codes = column.Codes.Span;
            foreach (var row in new RowEnumerator(rows))
            {
                if (codes[row] >= 0)
                {
                    RowMask.Remove(rows, row);
                }
            }
        }
    }
}

/// <summary>Any event, or any link, of the span has a matching attribute or name.</summary>
internal sealed class ChildNode(Field field, ValuePredicate predicate) : FilterNode
{
    private readonly byte[] _key = Encoding.UTF8.GetBytes(field.Key);
    private readonly ColumnPruning _pruning = new(field, predicate, new Verdicts(predicate));

    public override int Cost => 20;

    public override bool MayMatch(RowSource source) => _pruning.MayMatch(source);

    public override bool MayMatch(RowSource source, int block) => _pruning.MayMatch(source, block);

    public override string SkippedBy(RowSource source, int block) => _pruning.SkippedBy(source, block);

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

    public override string SkippedBy(RowSource source, int block) => "traceIndex";

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
