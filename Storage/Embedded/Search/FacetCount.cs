using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Embedded.Search;

/// <summary>Counts the values of fields among the matching rows.</summary>
internal sealed class FacetCount : MatchStrand
{
    /// <summary>Attributes counted when no fields are asked for, the most frequent: each costs a pass over every matching row.</summary>
    public const int MaxAutomaticFields = 200;

    private readonly FacetQuery _query;
    private readonly List<Counts> _counts;
    private int[] _numbers = [];
    private long _matched;

    private sealed class Counts(FieldReader reader)
    {
        private long[] _counts = new long[64];
        private long[] _errors = new long[64];

        public FieldReader Reader { get; } = reader;

        public long Present { get; set; }

        public void Add(int number, bool error)
        {
            Present++;
            if (number < 0)
            {
                return;
            }
            EnsureRoom(number);
            _counts[number]++;
            _errors[number] += error ? 1 : 0;
        }

        /// <summary>Adds what another strand has counted of the field.</summary>
        public void Join(Counts other)
        {
            var numbers = other.Reader.Values.NumbersIn(Reader.Values);
            Present += other.Present;
            for (var number = 0; number < numbers.Length; number++)
            {
                if (numbers[number] >= 0 && number < other._counts.Length)
                {
                    EnsureRoom(numbers[number]);
                    _counts[numbers[number]] += other._counts[number];
                    _errors[numbers[number]] += other._errors[number];
                }
            }
        }

        public Facet ToFacet(int maxValues)
        {
            var values = Reader.Values;
            var order = Enumerable.Range(0, values.Count).Where(number => number < _counts.Length && _counts[number] > 0).ToArray();
            // Of equal counts the lower value first: the order of the scan is no order.
            Array.Sort(order, (left, right) => _counts[left] != _counts[right] ? _counts[right].CompareTo(_counts[left]) : values.Compare(left, right));
            return new Facet(
                Reader.Field, Present, order.Length, values.HasOverflowed,
                [.. order.Take(maxValues).Select(number => new FacetValue(values[number], _counts[number], _errors[number]))]);
        }

        private void EnsureRoom(int number)
        {
            if (number >= _counts.Length)
            {
                Array.Resize(ref _counts, Math.Max(number + 1, _counts.Length * 2));
                Array.Resize(ref _errors, _counts.Length);
            }
        }
    }

    private FacetCount(MatchScan shared, FacetQuery query, IEnumerable<Field> fields, TraceFacts facts)
        : base(shared, new FilterEvaluator(query.Filter, query.Range, shared.Signal, facts))
    {
        _query = query;
        _counts = [.. fields.Select(field => new Counts(new FieldReader(field, shared.Signal, FacetQuery.MaxDistinctValues, facts)))];
    }

    public static Task<FacetResult> RunAsync(ScanScheduler scheduler, Scan scan, FacetQuery query, Signal signal, CancellationToken cancellationToken)
    {
        var shared = new MatchScan(scan, query.Range, signal);
        var fields = new Lazy<Field[]>(() => query.Fields.IsDefaultOrEmpty ? [.. AutomaticFields(scan, query, signal)] : [.. query.Fields]);
        return scheduler.RunAsync(() => new FacetCount(shared, query, fields.Value, new TraceFacts(scan, new TraceLoader(scan))), Finish, cancellationToken);
    }

    private static IEnumerable<Field> AutomaticFields(Scan scan, FacetQuery query, Signal signal)
    {
        if (signal == Signal.Traces)
        {
            yield return Field.Of(Intrinsic.Name);
            yield return Field.Of(Intrinsic.Kind);
            yield return Field.Of(Intrinsic.Status);
        }
        var names = AttributeNameScan.Run(scan, new AttributeNameQuery(query.Range, MaxNames: int.MaxValue));
        foreach (var name in names.Where(name => name.Scope is FieldScope.Record or FieldScope.Resource).Take(MaxAutomaticFields))
        {
            yield return Field.Attribute(name.Scope, name.Key);
        }
    }

    protected override void Gather(RowSource source, RowBlock block, ReadOnlySpan<ulong> rows)
    {
        if (_numbers.Length < block.Rows)
        {
            _numbers = new int[block.Rows];
        }
        var levels = Levels(block, out var errorLevel);
        foreach (var counts in _counts)
        {
            counts.Reader.Read(source, block, rows, _numbers);
            foreach (var row in new RowEnumerator(rows))
            {
                if (_numbers[row] != ValueNumbers.None)
                {
                    counts.Add(_numbers[row], levels[row] >= errorLevel);
                }
            }
        }
        _matched += RowMask.Count(rows);
    }

    private static FacetResult Finish(IReadOnlyList<FacetCount> strands)
    {
        var first = strands[0];
        foreach (var other in strands.Skip(1))
        {
            first._matched += other._matched;
            for (var i = 0; i < first._counts.Count; i++)
            {
                first._counts[i].Join(other._counts[i]);
            }
        }
        var facets = first._counts.ConvertAll(counts => counts.ToFacet(first._query.MaxValues));
        if (first._query.Fields.IsDefaultOrEmpty)
        {
            facets.RemoveAll(facet => facet.Present == 0);
        }
        return new FacetResult(first._matched, facets, first.Scan.Report());
    }
}
