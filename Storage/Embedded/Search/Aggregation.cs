using System.Runtime.InteropServices;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;

namespace Apm.Storage.Embedded.Search;

/// <summary>Counts, errors and durations by group and time step, in one pass over the matching rows.</summary>
internal sealed class Aggregation
{
    public const int MaxGroupFields = 4;

    /// <summary>Groups gathered for each group of the answer, so that the largest are found although the first seen come first.</summary>
    private const int SpareGroups = 4;

    /// <summary>Distinct values of one field that groups are told apart by; rows of others are added to the overflow group.</summary>
    private const int MaxValues = 100_000;

    /// <summary>Buckets after which no new group is begun: with durations they take up to about 100 MB.</summary>
    private const int MaxBuckets = 200_000;

    private readonly Scan _scan;
    private readonly AggregateQuery _query;
    private readonly Signal _signal;
    private readonly FilterEvaluator _evaluator;
    private readonly SpanDeduplicator _spans = new();
    private readonly FieldReader[] _readers;
    private readonly int[][] _numbers;
    private readonly long _firstStep;
    private readonly int _steps;
    private readonly int _maxGroups;
    private readonly Dictionary<GroupKey, Group> _groups = [];

    /// <summary>With one field: the groups by the number of their value, to spare a look-up where rows of different groups alternate.</summary>
    private readonly Group?[] _byNumber = new Group?[1024];
    private Group? _overflow;
    private int _buckets;
    private bool _anyOverflow;

    private readonly record struct GroupKey(int First, int Second, int Third, int Fourth);

    private sealed class Group(GroupKey key, int steps)
    {
        public GroupKey Key { get; } = key;

        public AggregateBucket?[] Buckets { get; } = new AggregateBucket?[steps];

        public long Count { get; set; }
    }

    private Aggregation(Scan scan, AggregateQuery query, Signal signal)
    {
        if (query.GroupBy.Length > MaxGroupFields)
        {
            throw new ArgumentException($"grouping by {query.GroupBy.Length} fields, at most {MaxGroupFields} are possible", nameof(query));
        }
        _scan = scan;
        _query = query;
        _signal = signal;
        (_firstStep, _steps) = StepsOf(query);
        var facts = new TraceFacts(scan, new TraceLoader(scan));
        _evaluator = new FilterEvaluator(query.Filter, query.Range, signal, facts);
        _readers = [.. query.GroupBy.Select(field => new FieldReader(field, signal, MaxValues, facts))];
        _numbers = new int[_readers.Length][];
        Array.Fill(_numbers, []);
        _maxGroups = (int)Math.Min((long)Math.Max(query.MaxGroups, 1) * SpareGroups, int.MaxValue);
    }

    public static AggregateResult Run(Scan scan, AggregateQuery query, Signal signal) => new Aggregation(scan, query, signal).Run();

    private static (long First, int Steps) StepsOf(AggregateQuery query)
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

    private AggregateResult Run()
    {
        foreach (var source in _scan.SourcesIn(_query.Range))
        {
            if (!_evaluator.MayMatch(source))
            {
                continue;
            }
            for (var block = source.BlockCount - 1; block >= 0; block--)
            {
                if (!_evaluator.MayMatch(source, block))
                {
                    continue;
                }
                if (!_scan.MayGoOn())
                {
                    return Result();
                }
                _scan.Visit(source, block, ReadBlock);
            }
        }
        return Result();
    }

    private void ReadBlock(RowSource source, RowBlock block)
    {
        var rows = _evaluator.Evaluate(source, block);
        _spans.RemoveSeen(source, block, rows);
        if (RowMask.IsEmpty(rows))
        {
            return;
        }
        for (var i = 0; i < _readers.Length; i++)
        {
            if (_numbers[i].Length < block.Rows)
            {
                _numbers[i] = new int[block.Rows];
            }
            _readers[i].Read(source, block, rows, _numbers[i]);
        }
        var times = _query.StepNano == 0 ? default : block.TimeUnixNano;
        var spans = _signal == Signal.Traces;
        var durations = spans && _query.WithDurations ? block.DurationNano : default;
        var levels = spans ? block.Statuses : block.SeverityNumbers;
        var errorLevel = spans ? (byte)StatusCode.Error : SeverityNumber.Error;
        Group? group = null;
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

    private Group GroupOf(GroupKey key)
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
        return group = new Group(key, _steps);
    }

    private Group OverflowGroup()
    {
        _anyOverflow = true;
        return _overflow ??= new Group(default, _steps);
    }

    private AggregateBucket NewBucket()
    {
        _buckets++;
        return new AggregateBucket { Durations = _signal == Signal.Traces && _query.WithDurations ? new DurationHistogram() : null };
    }

    private AggregateResult Result()
    {
        var ordered = _groups.Values.OrderByDescending(group => group.Count).ToList();
        var maxGroups = Math.Max(_query.MaxGroups, 1);
        foreach (var small in ordered.Skip(maxGroups))
        {
            AddInto(OverflowGroup(), small);
        }
        var groups = ordered.Take(maxGroups).Select(group => Finish(group, false)).ToList();
        if (_anyOverflow)
        {
            groups.Add(Finish(_overflow!, true));
            groups.Sort((left, right) => right.Total.Count.CompareTo(left.Total.Count));
        }
        if (groups.Count == 0 && _readers.Length == 0)
        {
            groups.Add(Finish(new Group(default, _steps), false));
        }
        return new AggregateResult(groups, _firstStep, _query.StepNano, _steps, _scan.Report());
    }

    private void AddInto(Group target, Group group)
    {
        for (var step = 0; step < _steps; step++)
        {
            if (group.Buckets[step] is { } bucket)
            {
                Add(target.Buckets[step] ??= NewBucket(), bucket);
            }
        }
        target.Count += group.Count;
    }

    private AggregateGroup Finish(Group group, bool isOverflow)
    {
        var total = NewBucket();
        foreach (var bucket in group.Buckets)
        {
            if (bucket is not null)
            {
                Add(total, bucket);
            }
        }
        int[] numbers = [group.Key.First, group.Key.Second, group.Key.Third, group.Key.Fourth];
        AttributeValue?[] key = [.. _readers.Select((reader, i) => isOverflow || numbers[i] < 0 ? (AttributeValue?)null : reader.Values[numbers[i]])];
        return new AggregateGroup(key, group.Buckets, total, isOverflow);
    }

    private static void Add(AggregateBucket target, AggregateBucket bucket)
    {
        target.Count += bucket.Count;
        target.Errors += bucket.Errors;
        if (bucket.Durations is { } durations)
        {
            target.Durations!.Add(durations);
        }
    }
}
