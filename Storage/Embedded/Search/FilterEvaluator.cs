using System.Runtime.CompilerServices;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Embedded.Search;

/// <summary>A filter and a time range made ready for the blocks of one query. Used by one thread.</summary>
internal sealed class FilterEvaluator
{
    private readonly FilterNode _root;
    private readonly TimeRange _range;
    private readonly Signal _signal;
    private readonly TraceFacts _facts;
    private ulong[] _inRange = [];
    private ulong[] _result = [];

    public FilterEvaluator(Filter filter, TimeRange range, Signal signal, TraceFacts facts)
    {
        _range = range;
        _signal = signal;
        _facts = facts;
        _root = Compile(filter);
    }

    public TraceFacts Facts => _facts;

    public bool MayMatch(RowSource source) => _root.MayMatch(source);

    public bool MayMatch(RowSource source, int block)
    {
        var bounds = source.GetBounds(block);
        return _range.Overlaps(bounds.FirstTimeUnixNano, bounds.LastTimeUnixNano) && _root.MayMatch(source, block);
    }

    /// <summary>Why a block that may not match does not, as in <see cref="SourcePlan"/>.</summary>
    public string SkippedBy(RowSource source, int block) =>
        block < source.BlockCount && !_range.Overlaps(source.GetBounds(block).FirstTimeUnixNano, source.GetBounds(block).LastTimeUnixNano) ? "time" : _root.SkippedBy(source, block);

    /// <summary>The rows in the range that match; valid until the next call.</summary>
    public Span<ulong> Evaluate(RowSource source, RowBlock block) => Evaluate(source, block, default);

    /// <param name="within">Rows to look at, or empty for all.</param>
    public Span<ulong> Evaluate(RowSource source, RowBlock block, ReadOnlySpan<ulong> within)
    {
        var words = RowMask.WordCount(block.Rows);
        if (_result.Length < words)
        {
            _inRange = new ulong[words];
            _result = new ulong[words];
        }
        var inRange = _inRange.AsSpan(0, words);
        var result = _result.AsSpan(0, words);
        if (_range.StartUnixNano <= block.Bounds.FirstTimeUnixNano && _range.EndUnixNano > block.Bounds.LastTimeUnixNano)
        {
            RowMask.Fill(inRange, block.Rows);
        }
        else if (_range.IsEmpty)
        {
            inRange.Clear();
        }
        else
        {
            RowMask.Between(block.TimeUnixNano, _range.StartUnixNano, _range.EndUnixNano - 1, inRange);
        }
        if (!within.IsEmpty)
        {
            RowMask.And(inRange, within);
        }
        if (RowMask.IsEmpty(inRange))
        {
            result.Clear();
        }
        else
        {
            _root.Evaluate(source, block, inRange, result);
        }
        return result;
    }

    private FilterNode Compile(Filter filter)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        return filter switch
        {
            AllFilter => new ConstantNode(true),
            AndFilter and => new AndNode([.. and.Filters.Select(Compile)]),
            OrFilter or => new OrNode([.. or.Filters.Select(Compile)]),
            NotFilter not => new NotNode(Compile(not.Operand)),
            ExistsFilter { Exists: false } absent => new NotNode(Compile(absent.Field, absent)),
            ExistsFilter exists => Compile(exists.Field, exists),
            ComparisonFilter comparison => Compile(comparison.Field, comparison),
            RegexFilter regex => Compile(regex.Field, regex),
            ContainsFilter contains => Compile(contains.Field, contains),
            TextEqualFilter text => new OrNode([.. text.Scopes.Where(scope => scope != FieldScope.Intrinsic).Select(scope => Compile(Field.Attribute(scope, text.Key), text))]),
            _ => throw new ArgumentException($"no evaluation for {filter.GetType().Name}", nameof(filter)),
        };
    }

    private FilterNode Compile(Field field, Filter condition)
    {
        var predicate = ValuePredicate.Of(condition);
        return field.Scope switch
        {
            FieldScope.Any => new AnyScopeNode(field.Key, predicate),
            FieldScope.Record => new ColumnNode(field, predicate),
            FieldScope.Resource or FieldScope.InstrumentationScope => new OwnerNode(field, predicate),
            FieldScope.Event or FieldScope.Link => _signal == Signal.Traces ? new ChildNode(field, predicate) : new ConstantNode(false),
            _ => CompileIntrinsic(field, condition, predicate),
        };
    }

    private FilterNode CompileIntrinsic(Field field, Filter condition, ValuePredicate predicate)
    {
        if (!Fields.Has(_signal, field.Intrinsic))
        {
            return new ConstantNode(false);
        }
        switch (field.Intrinsic)
        {
            case Intrinsic.Name or Intrinsic.StatusMessage or Intrinsic.SeverityText:
                return new ColumnNode(field, predicate);
            case Intrinsic.Body:
                return new ColumnNode(field, new BodyPredicate(predicate));
            case Intrinsic.Kind or Intrinsic.Status or Intrinsic.Severity:
                return new ByteNode(field.Intrinsic, predicate);
            case Intrinsic.EventName:
                return new ChildNode(field, predicate);
            case Intrinsic.ScopeName or Intrinsic.ScopeVersion:
                return new OwnerNode(field, predicate);
            case Intrinsic.RootName or Intrinsic.RootServiceName or Intrinsic.TraceDuration:
                return condition is ExistsFilter ? new ConstantNode(true) : new TraceNode(field.Intrinsic, predicate, _facts);
            case Intrinsic.Duration:
                return CompileDuration(condition);
            default:
                return CompileId(field.Intrinsic, condition);
        }
    }

    private static FilterNode CompileDuration(Filter condition) => condition switch
    {
        ExistsFilter => new ConstantNode(true),
        ComparisonFilter comparison when NumberOrder.Interval(comparison.Operator, comparison.Value) is { } interval => new DurationNode(interval.Low, interval.High, interval.Inverted),
        _ => new ConstantNode(false),
    };

    private static FilterNode CompileId(Intrinsic intrinsic, Filter condition)
    {
        if (condition is ExistsFilter)
        {
            return new IdNode(intrinsic, negated: false, default, present: true);
        }
        if (condition is not ComparisonFilter { Operator: ComparisonOperator.Equal or ComparisonOperator.NotEqual, Value.Type: AttributeType.String } comparison)
        {
            return new ConstantNode(false);
        }
        var negated = comparison.Operator == ComparisonOperator.NotEqual;
        var text = comparison.Value.AsString();
        TraceId literal = default;
        var known = intrinsic == Intrinsic.ParentSpanId && text.Length == 0;
        if (intrinsic == Intrinsic.TraceId)
        {
            known = TraceId.TryParse(text, out literal) && !literal.IsZero;
        }
        else if (!known && SpanId.TryParse(text, out var spanId) && !spanId.IsZero)
        {
            known = true;
            literal = new TraceId(0, spanId.Value);
        }
        if (known)
        {
            return new IdNode(intrinsic, negated, literal, present: false);
        }
        // No id has such a text: equal to none, unequal to every one that is there.
        return !negated ? new ConstantNode(false)
            : intrinsic == Intrinsic.ParentSpanId ? new ConstantNode(true)
            : new IdNode(intrinsic, negated: false, default, present: true);
    }
}

internal static class Fields
{
    /// <summary>Whether records of the signal have the intrinsic.</summary>
    public static bool Has(Signal signal, Intrinsic intrinsic) => intrinsic switch
    {
        Intrinsic.Name or Intrinsic.TraceId or Intrinsic.SpanId or Intrinsic.ScopeName or Intrinsic.ScopeVersion => true,
        Intrinsic.Severity or Intrinsic.SeverityText or Intrinsic.Body => signal == Signal.Logs,
        Intrinsic.None => false,
        _ => signal == Signal.Traces,
    };
}
