using Apm.Storage.Embedded.Search;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;

namespace Apm.Storage.Embedded.Rollups;

/// <summary>
/// Answers an aggregation of spans from rollups where the groups determine it: whole minutes from the widest cells that fit, the ragged ends of the range, and
/// sources without a rollup, from rows. The answer is the one that all rows would give. Used by one thread at a time.
/// </summary>
internal sealed class RollupAggregation
{
    /// <summary>Distinct values of one field, and buckets, as in <see cref="Aggregation"/>.</summary>
    private const int MaxValues = 100_000;

    private const int MaxBuckets = 200_000;

    /// <summary>The rows of sources, by the code that reads rows.</summary>
    public delegate Task<AggregateResult> RowAggregation(IReadOnlyList<RowSource> sources, AggregateQuery query);

    private readonly AggregateQuery _query;
    private readonly RollupFields _fields;
    private readonly int _fromMinute;
    private readonly int _toMinute;
    private readonly long _firstStep;
    private readonly int _steps;
    private readonly List<(RollupTier Tier, int From, int To)> _pieces;
    private readonly FilterEvaluator _evaluator;
    private readonly FieldReader[] _readers;
    private readonly int[][] _numbers;
    private readonly Dictionary<GroupKey, AggregationGroup> _groups = [];
    private readonly CellSum _sum = new();
    private readonly List<RowSource> _rolled = [];
    private readonly List<RowSource> _others = [];
    private AggregationGroup? _overflow;
    private int _buckets;
    private ScanReport _report = new(true, null, 0, 0, 0, 0, 0, 0, TimeSpan.Zero);

    private RollupAggregation(AggregateQuery query, RollupFields fields, int fromMinute, int toMinute)
    {
        _query = query;
        _fields = fields;
        _fromMinute = fromMinute;
        _toMinute = toMinute;
        (_firstStep, _steps) = Aggregation.StepsOf(query);
        _pieces = [.. RollupTiers.Pieces(fromMinute, toMinute, query.StepNano)];
        var noRows = new Scan([], new QueryBudget(TimeSpan.Zero, 0, 0), TimeProvider.System, null, CancellationToken.None);
        var facts = new TraceFacts(noRows, new TraceLoader(noRows));
        _evaluator = new FilterEvaluator(query.Filter, TimeRange.All, Signal.Traces, facts);
        _readers = [.. query.GroupBy.Select(field => new FieldReader(field, Signal.Traces, MaxValues, facts))];
        _numbers = new int[_readers.Length][];
        Array.Fill(_numbers, []);
    }

    /// <summary>Null when the rows must be read: the fields are not in the groups, the steps are no whole minutes, or the range has none.</summary>
    public static RollupAggregation? Of(AggregateQuery query)
    {
        if (query.StepNano < 0 || query.StepNano % RollupTiers.MinuteNano != 0 || query.GroupBy.Length > Aggregation.MaxGroupFields || query.Range.IsEmpty)
        {
            return null;
        }
        var (from, to) = RollupTiers.WholeMinutes(query.Range);
        return to > from && RollupFields.Of(query.Filter, query.GroupBy) is { } fields ? new RollupAggregation(query, fields, from, to) : null;
    }

    /// <summary>Adds up the whole minutes of all sources that have a rollup; true when rows are needed too. Once.</summary>
    /// <param name="onDamage">Told of a damaged rollup, whose source's rows are read instead.</param>
    public bool AddRollups(IReadOnlyList<RowSource> sources, Action<CorruptPartException>? onDamage, CancellationToken cancellationToken)
    {
        foreach (var source in sources)
        {
            if (source.RowCount > 0 && _query.Range.Overlaps(source.FirstTimeUnixNano, source.LastTimeUnixNano))
            {
                cancellationToken.ThrowIfCancellationRequested();
                (TryAdd(source, onDamage) ? _rolled : _others).Add(source);
            }
        }
        return _others.Count > 0 || RaggedEnds().Any();
    }

    /// <summary>Adds what rows must tell. After <see cref="AddRollups"/>, once.</summary>
    public async Task AddRowsAsync(RowAggregation rows)
    {
        // Which groups are the largest is only known when all are added up.
        var all = _query with { MaxGroups = MaxBuckets };
        if (_others.Count > 0)
        {
            Add(await rows(_others, all).ConfigureAwait(false));
        }
        foreach (var end in RaggedEnds())
        {
            var atEnd = _rolled.FindAll(source => end.Overlaps(source.FirstTimeUnixNano, source.LastTimeUnixNano));
            if (atEnd.Count > 0)
            {
                Add(await rows(atEnd, all with { Range = end }).ConfigureAwait(false));
            }
        }
    }

    private IEnumerable<TimeRange> RaggedEnds()
    {
        var (start, end) = (_fromMinute * RollupTiers.MinuteNano, _toMinute * RollupTiers.MinuteNano);
        if (_query.Range.StartUnixNano < start)
        {
            yield return _query.Range with { EndUnixNano = start };
        }
        if (end < _query.Range.EndUnixNano)
        {
            yield return _query.Range with { StartUnixNano = end };
        }
    }

    /// <summary>Adds the whole minutes of a source up; false when its rows must be read.</summary>
    private bool TryAdd(RowSource source, Action<CorruptPartException>? onDamage)
    {
        if (source.Rollup is not { } rollup)
        {
            return false;
        }
        var cells = new List<(RollupCells Cells, int Minutes, int From, int To)>?[RollupViews.Count];
        try
        {
            if (!_fields.AreDeterminedIn(source))
            {
                return false;
            }
            var firstMinute = RollupTiers.MinuteOf(source.FirstTimeUnixNano);
            var lastMinute = RollupTiers.MinuteOf(source.LastTimeUnixNano);
            foreach (var piece in _pieces)
            {
                if (piece.To <= firstMinute || piece.From > lastMinute)
                {
                    continue;
                }
                var (view, tier, chunks) = rollup.FewestSpanCells(_fields.View, piece.Tier);
                var groups = rollup.GroupsOf(view)!;
                if ((groups.HasUnknownNames && _fields.FilterReadsName) || (groups.HasUnknownResources && _fields.FilterReadsResource))
                {
                    return false;
                }
                var minutes = RollupTiers.Minutes(tier);
                var (from, to) = (RollupTiers.SlotOf(piece.From, minutes), RollupTiers.SlotOf(piece.To, minutes));
                (cells[(int)view] ??= []).AddRange(chunks.In(from, to).Select(ofTier => (ofTier, minutes, from, to)));
            }
        }
        catch (IOException failure)
        {
            source.RejectRollup(rollup);
            onDamage?.Invoke(failure as CorruptPartException ?? new CorruptPartException("", 0, failure.Message, failure));
            return false;
        }
        for (var view = RollupView.Resource; view <= RollupView.Service; view++)
        {
            if (cells[(int)view] is { Count: > 0 } ofView)
            {
                AddGroups(rollup.GroupsOf(view)!, ofView);
            }
        }
        return true;
    }

    private void AddGroups(SpanGroups groups, List<(RollupCells Cells, int Minutes, int From, int To)> cells)
    {
        var asRows = groups.AsRows;
        using var block = asRows.OpenBlock(0);
        var matching = _evaluator.Evaluate(asRows, block);
        for (var i = 0; i < _readers.Length; i++)
        {
            if (_numbers[i].Length < groups.Count)
            {
                _numbers[i] = new int[groups.Count];
            }
            _readers[i].Read(asRows, block, matching, _numbers[i]);
            HideUnknown(groups, _query.GroupBy[i], _numbers[i]);
        }
        foreach (var number in new RowEnumerator(matching))
        {
            var key = KeyOf(number);
            AggregationGroup? group = null;
            foreach (var (ofTier, minutes, from, to) in cells)
            {
                var (cell, end) = ofTier.CellsOf(number, from, to);
                while (cell < end)
                {
                    group ??= GroupOf(key);
                    var step = StepOf(ofTier.SlotOf(cell), minutes);
                    do
                    {
                        ofTier.AddTo(_sum, cell++, _query.WithDurations);
                    }
                    while (cell < end && StepOf(ofTier.SlotOf(cell), minutes) == step);
                    AddSum(group, step);
                }
            }
        }
    }

    private int StepOf(int slot, int minutes) => _query.StepNano == 0 ? 0 : (int)(((slot * (long)minutes * RollupTiers.MinuteNano) - _firstStep) / _query.StepNano);

    private static void HideUnknown(SpanGroups groups, Telemetry.Filters.Field field, int[] numbers)
    {
        var names = RollupFields.ReadsName(field) && groups.HasUnknownNames;
        var resources = RollupFields.ReadsResource(field) && groups.HasUnknownResources;
        for (var group = 0; (names || resources) && group < groups.Count; group++)
        {
            if ((names && groups.Names[group] == SpanGroups.Unknown) || (resources && groups.Resources[group] == SpanGroups.Unknown))
            {
                numbers[group] = ValueNumbers.Overflow;
            }
        }
    }

    private void AddSum(AggregationGroup group, int step)
    {
        var bucket = group.Buckets[step] ??= NewBucket();
        bucket.Count += _sum.Count;
        bucket.Errors += _sum.Errors;
        group.Count += _sum.Count;
        if (_query.WithDurations)
        {
            _sum.AddTo(bucket.Durations!);
        }
        _sum.Clear();
    }

    private GroupKey KeyOf(int group) => new(NumberOf(0, group), NumberOf(1, group), NumberOf(2, group), NumberOf(3, group));

    private int NumberOf(int field, int group) => field < _numbers.Length ? _numbers[field][group] : 0;

    private AggregationGroup GroupOf(GroupKey key)
    {
        if (key.First == ValueNumbers.Overflow || key.Second == ValueNumbers.Overflow || key.Third == ValueNumbers.Overflow || key.Fourth == ValueNumbers.Overflow)
        {
            return _overflow ??= new AggregationGroup(default, _steps);
        }
        if (_groups.TryGetValue(key, out var group))
        {
            return group;
        }
        if (_buckets >= MaxBuckets)
        {
            return _overflow ??= new AggregationGroup(default, _steps);
        }
        group = new AggregationGroup(key, _steps);
        _groups.Add(key, group);
        return group;
    }

    private AggregateBucket NewBucket()
    {
        _buckets++;
        return new AggregateBucket { Durations = _query.WithDurations ? new DurationHistogram() : null };
    }

    /// <summary>Adds what rows gave.</summary>
    private void Add(AggregateResult result)
    {
        foreach (var added in result.Groups)
        {
            if (added.Total.Count == 0)
            {
                continue;
            }
            var group = added.IsOverflow ? _overflow ??= new AggregationGroup(default, _steps) : GroupOf(new GroupKey(NumberOf(added, 0), NumberOf(added, 1), NumberOf(added, 2), NumberOf(added, 3)));
            var offset = _query.StepNano == 0 ? 0 : (int)((result.FirstStepUnixNano - _firstStep) / _query.StepNano);
            for (var step = 0; step < added.Buckets.Length; step++)
            {
                if (added.Buckets[step] is { } bucket)
                {
                    (group.Buckets[offset + step] ??= NewBucket()).Add(bucket);
                }
            }
            group.Count += added.Total.Count;
        }
        var report = _report;
        _report = report with
        {
            Complete = report.Complete && result.Scan.Complete,
            StoppedBy = report.StoppedBy ?? result.Scan.StoppedBy,
            BlocksRead = report.BlocksRead + result.Scan.BlocksRead,
            RowsScanned = report.RowsScanned + result.Scan.RowsScanned,
            BytesRead = report.BytesRead + result.Scan.BytesRead,
            Plan = [.. report.Plan ?? [], .. result.Scan.Plan ?? []],
        };
    }

    private int NumberOf(AggregateGroup group, int field) => field >= group.Key.Count ? 0
        : group.Key[field] is { } value ? _readers[field].Values.NumberOf(value.Type, value.Bits, value.Content)
        : ValueNumbers.None;

    /// <param name="explain">As <see cref="QueryBudget.Explain"/>: sources of which only ends were read as rows are there twice.</param>
    public AggregateResult ToResult(IReadOnlyList<RowSource> sources, TimeSpan elapsed, bool explain)
    {
        var read = _rolled.Count + _others.Count;
        var report = _report with
        {
            PartsRead = read,
            PartsSkipped = sources.Count - read,
            BlocksSkipped = Math.Max(0, sources.Sum(source => source.BlockCount) - _report.BlocksRead),
            Elapsed = elapsed,
            RollupsRead = _rolled.Count,
            Plan = explain ? [.. _rolled.Select(ScanPlan.OfRollup), .. _report.Plan ?? []] : null,
        };
        var ordered = _groups.Values.Where(group => group.Count > 0).ToList();
        ordered.Sort(LargestFirst);
        var maxGroups = Math.Max(_query.MaxGroups, 1);
        foreach (var small in ordered.Skip(maxGroups))
        {
            var overflow = _overflow ??= new AggregationGroup(default, _steps);
            for (var step = 0; step < _steps; step++)
            {
                if (small.Buckets[step] is { } bucket)
                {
                    (overflow.Buckets[step] ??= NewBucket()).Add(bucket);
                }
            }
            overflow.Count += small.Count;
        }
        var groups = ordered.Take(maxGroups).Select(group => Finish(group, isOverflow: false)).ToList();
        if (_overflow is { Count: > 0 })
        {
            groups.Add(Finish(_overflow, isOverflow: true));
            // Last of those of its size.
            groups = [.. groups.OrderByDescending(group => group.Total.Count)];
        }
        if (groups.Count == 0 && _readers.Length == 0)
        {
            groups.Add(Finish(new AggregationGroup(default, _steps), isOverflow: false));
        }
        return new AggregateResult(groups, _firstStep, _query.StepNano, _steps, report);
    }

    /// <summary>As <see cref="Aggregation"/> orders: of equal counts the lower key first.</summary>
    private int LargestFirst(AggregationGroup left, AggregationGroup right)
    {
        var order = right.Count.CompareTo(left.Count);
        return order != 0 ? order : left.Key.Compare(right.Key, _readers);
    }

    private AggregateGroup Finish(AggregationGroup group, bool isOverflow) => group.Finish(_readers, isOverflow, NewBucket());
}
