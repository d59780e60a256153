using System.Runtime.InteropServices;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;

namespace Apm.Storage.Embedded.Search;

/// <summary>Counts, errors and durations by group and time step, in one pass over the matching rows.</summary>
internal sealed class Aggregation : MatchStrand
{
    public const int MaxGroupFields = 4;

    /// <summary>Groups gathered for each group of the answer, so that the largest are found although the first seen come first.</summary>
    private const int SpareGroups = 4;

    /// <summary>Distinct values of one field that groups are told apart by; rows of others are added to the overflow group.</summary>
    private const int MaxValues = 100_000;

    /// <summary>Buckets after which no new group is begun: with durations they take up to about 100 MB.</summary>
    private const int MaxBuckets = 200_000;

    private readonly AggregateQuery _query;
    private readonly FieldReader[] _readers;
    private readonly int[][] _numbers;
    private readonly long _firstStep;
    private readonly int _steps;
    private readonly int _maxGroups;
    private readonly Dictionary<GroupKey, AggregationGroup> _groups = [];

    /// <summary>With one field: the groups by the number of their value, to spare a look-up where rows of different groups alternate.</summary>
    private readonly AggregationGroup?[] _byNumber = new AggregationGroup?[1024];
    private AggregationGroup? _overflow;
    private int _buckets;
    private bool _anyOverflow;

    private Aggregation(MatchScan shared, AggregateQuery query, TraceFacts facts)
        : base(shared, new FilterEvaluator(query.Filter, query.Range, shared.Signal, facts))
    {
        _query = query;
        (_firstStep, _steps) = StepsOf(query);
        _readers = [.. query.GroupBy.Select(field => new FieldReader(field, shared.Signal, MaxValues, facts))];
        _numbers = new int[_readers.Length][];
        Array.Fill(_numbers, []);
        _maxGroups = (int)Math.Min((long)Math.Max(query.MaxGroups, 1) * SpareGroups, int.MaxValue);
    }

    /// <exception cref="ArgumentException">More fields or steps than are possible.</exception>
    public static Task<AggregateResult> RunAsync(ScanScheduler scheduler, Scan scan, AggregateQuery query, Signal signal, CancellationToken cancellationToken)
    {
        if (query.GroupBy.Length > MaxGroupFields)
        {
            throw new ArgumentException($"grouping by {query.GroupBy.Length} fields, at most {MaxGroupFields} are possible", nameof(query));
        }
        StepsOf(query);
        var shared = new MatchScan(scan, query.Range, signal);
        return scheduler.RunAsync(() => new Aggregation(shared, query, new TraceFacts(scan, new TraceLoader(scan))), Finish, cancellationToken);
    }

    internal static (long First, int Steps) StepsOf(AggregateQuery query)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(query.StepNano, nameof(query));
        if (query.StepNano == 0 || query.Range.IsEmpty)
        {
            return (query.Range.StartUnixNano, query.StepNano == 0 ? 1 : 0);
        }
        var first = (Int128)query.Range.StartUnixNano;
        var remainder = first % query.StepNano;
        first -= remainder < 0 ? remainder + query.StepNano : remainder;
        var steps = (query.Range.EndUnixNano - first + query.StepNano - 1) / query.StepNano;
        if (steps > AggregateQuery.MaxSteps || first < long.MinValue)
        {
            throw new ArgumentException($"the range has {steps} steps, at most {AggregateQuery.MaxSteps} are possible", nameof(query));
        }
        return ((long)first, (int)steps);
    }

    protected override void Gather(RowSource source, RowBlock block, ReadOnlySpan<ulong> rows)
    {
        for (var i = 0; i < _readers.Length; i++)
        {
            if (_numbers[i].Length < block.Rows)
            {
                _numbers[i] = new int[block.Rows];
            }
            _readers[i].Read(source, block, rows, _numbers[i]);
        }
        var times = _query.StepNano == 0 ? default : block.TimeUnixNano;
        var durations = Signal == Signal.Traces && _query.WithDurations ? block.DurationNano : default;
        var levels = Levels(block, out var errorLevel);
        AggregationGroup? group = null;
        var key = default(GroupKey);
        var step = 0;
        long stepStart = 0, stepEnd = 0;
        foreach (var row in new RowEnumerator(rows))
        {
            var rowKey = KeyOf(row);
            if (group is null || rowKey != key)
            {
                key = rowKey;
                group = _readers.Length == 1 && (uint)key.First < (uint)_byNumber.Length ? _byNumber[key.First] ??= GroupOf(key) : GroupOf(key);
            }
            if (!times.IsEmpty && (times[row] < stepStart || times[row] >= stepEnd || stepEnd == stepStart))
            {
                step = (int)((times[row] - _firstStep) / _query.StepNano);
                stepStart = _firstStep + (step * _query.StepNano);
                stepEnd = stepStart > long.MaxValue - _query.StepNano ? long.MaxValue : stepStart + _query.StepNano;
            }
            var bucket = group.Buckets[step] ??= NewBucket();
            bucket.Count++;
            group.Count++;
            bucket.Errors += levels[row] >= errorLevel ? 1 : 0;
            if (!durations.IsEmpty)
            {
                bucket.Durations!.Record(durations[row]);
            }
        }
    }

    private GroupKey KeyOf(int row) => _readers.Length switch
    {
        0 => default,
        1 => new GroupKey(_numbers[0][row], 0, 0, 0),
        2 => new GroupKey(_numbers[0][row], _numbers[1][row], 0, 0),
        3 => new GroupKey(_numbers[0][row], _numbers[1][row], _numbers[2][row], 0),
        _ => new GroupKey(_numbers[0][row], _numbers[1][row], _numbers[2][row], _numbers[3][row]),
    };

    private AggregationGroup GroupOf(GroupKey key)
    {
        if (key.First == ValueNumbers.Overflow || key.Second == ValueNumbers.Overflow || key.Third == ValueNumbers.Overflow || key.Fourth == ValueNumbers.Overflow)
        {
            return OverflowGroup();
        }
        ref var group = ref CollectionsMarshal.GetValueRefOrAddDefault(_groups, key, out _);
        if (group is not null)
        {
            return group;
        }
        if (_groups.Count > _maxGroups || _buckets >= MaxBuckets)
        {
            _groups.Remove(key);
            return OverflowGroup();
        }
        return group = new AggregationGroup(key, _steps);
    }

    private AggregationGroup OverflowGroup()
    {
        _anyOverflow = true;
        return _overflow ??= new AggregationGroup(default, _steps);
    }

    private AggregateBucket NewBucket()
    {
        _buckets++;
        return new AggregateBucket { Durations = Signal == Signal.Traces && _query.WithDurations ? new DurationHistogram() : null };
    }

    private static AggregateResult Finish(IReadOnlyList<Aggregation> strands)
    {
        foreach (var other in strands.Skip(1))
        {
            strands[0].Join(other);
        }
        return strands[0].Result();
    }

    /// <summary>Adds the groups that another strand has gathered.</summary>
    private void Join(Aggregation other)
    {
        var numbers = new int[_readers.Length][];
        for (var i = 0; i < numbers.Length; i++)
        {
            numbers[i] = other._readers[i].Values.NumbersIn(_readers[i].Values);
        }
        foreach (var group in other._groups.Values)
        {
            AddInto(GroupOf(new GroupKey(Number(0, group.Key.First), Number(1, group.Key.Second), Number(2, group.Key.Third), Number(3, group.Key.Fourth))), group);
        }
        if (other._anyOverflow)
        {
            AddInto(OverflowGroup(), other._overflow!);
        }

        int Number(int field, int number) => field < numbers.Length && number >= 0 ? numbers[field][number] : number;
    }

    private AggregateResult Result()
    {
        var ordered = _groups.Values.ToList();
        ordered.Sort(LargestFirst);
        var maxGroups = Math.Max(_query.MaxGroups, 1);
        foreach (var small in ordered.Skip(maxGroups))
        {
            AddInto(OverflowGroup(), small);
        }
        if (_anyOverflow)
        {
            ordered = [.. ordered.Take(maxGroups), _overflow!];
            ordered.Sort(LargestFirst);
        }
        var groups = ordered.Take(maxGroups + (_anyOverflow ? 1 : 0)).Select(group => Finish(group, group == _overflow)).ToList();
        if (groups.Count == 0 && _readers.Length == 0)
        {
            groups.Add(Finish(new AggregationGroup(default, _steps), false));
        }
        return new AggregateResult(groups, _firstStep, _query.StepNano, _steps, Scan.Report());
    }

    /// <summary>Of equal counts the lower key first, and the overflow last: the order of the scan is no order.</summary>
    private int LargestFirst(AggregationGroup left, AggregationGroup right)
    {
        if (left.Count != right.Count || left == right)
        {
            return right.Count.CompareTo(left.Count);
        }
        if (left == _overflow || right == _overflow)
        {
            return left == _overflow ? 1 : -1;
        }
        return left.Key.Compare(right.Key, _readers);
    }

    private void AddInto(AggregationGroup target, AggregationGroup group)
    {
        for (var step = 0; step < _steps; step++)
        {
            if (group.Buckets[step] is { } bucket)
            {
                (target.Buckets[step] ??= NewBucket()).Add(bucket);
            }
        }
        target.Count += group.Count;
    }

    private AggregateGroup Finish(AggregationGroup group, bool isOverflow) => group.Finish(_readers, isOverflow, NewBucket());
}
