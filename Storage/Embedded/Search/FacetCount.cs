using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Embedded.Search;

/// <summary>Counts the values of fields among the matching rows.</summary>
internal sealed class FacetCount
{
    /// <summary>Attributes counted when no fields are asked for, the most frequent: each costs a pass over every matching row.</summary>
    public const int MaxAutomaticFields = 200;

    private readonly Scan _scan;
    private readonly FacetQuery _query;
    private readonly Signal _signal;
    private readonly FilterEvaluator _evaluator;
    private readonly SpanDeduplicator _spans = new();
    private readonly List<Counts> _counts = [];
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
            if (number >= _counts.Length)
            {
                Array.Resize(ref _counts, Math.Max(number + 1, _counts.Length * 2));
                Array.Resize(ref _errors, _counts.Length);
            }
            _counts[number]++;
            _errors[number] += error ? 1 : 0;
        }

        public Facet ToFacet(int maxValues)
        {
            var values = Reader.Values;
            var order = Enumerable.Range(0, values.Count).Where(number => number < _counts.Length && _counts[number] > 0).ToArray();
            return new Facet(
                Reader.Field, Present, order.Length, values.HasOverflowed,
                [.. order.OrderByDescending(number => _counts[number]).Take(maxValues).Select(number => new FacetValue(values[number], _counts[number], _errors[number]))]);
        }
    }

    private FacetCount(Scan scan, FacetQuery query, Signal signal)
    {
        _scan = scan;
        _query = query;
        _signal = signal;
        var facts = new TraceFacts(scan, new TraceLoader(scan));
        _evaluator = new FilterEvaluator(query.Filter, query.Range, signal, facts);
        foreach (var field in query.Fields.IsDefaultOrEmpty ? AutomaticFields() : query.Fields)
        {
            _counts.Add(new Counts(new FieldReader(field, signal, FacetQuery.MaxDistinctValues, facts)));
        }
    }

    public static FacetResult Run(Scan scan, FacetQuery query, Signal signal) => new FacetCount(scan, query, signal).Run();

    private IEnumerable<Field> AutomaticFields()
    {
        if (_signal == Signal.Traces)
        {
            yield return Field.Of(Intrinsic.Name);
            yield return Field.Of(Intrinsic.Kind);
            yield return Field.Of(Intrinsic.Status);
        }
        var names = AttributeNameScan.Run(_scan, new AttributeNameQuery(_query.Range, MaxNames: int.MaxValue));
        foreach (var name in names.Where(name => name.Scope is FieldScope.Record or FieldScope.Resource).Take(MaxAutomaticFields))
        {
            yield return Field.Attribute(name.Scope, name.Key);
        }
    }

    private FacetResult Run()
    {
        foreach (var source in _scan.SourcesIn(_query.Range))
        {
            for (var block = source.BlockCount - 1; block >= 0; block--)
            {
                if (!_evaluator.MayMatch(source) || !_evaluator.MayMatch(source, block))
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
        if (_numbers.Length < block.Rows)
        {
            _numbers = new int[block.Rows];
        }
        var levels = _signal == Signal.Traces ? block.Statuses : block.SeverityNumbers;
        var errorLevel = _signal == Signal.Traces ? (byte)StatusCode.Error : SeverityNumber.Error;
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

    private FacetResult Result()
    {
        var facets = _counts.ConvertAll(counts => counts.ToFacet(_query.MaxValues));
        if (_query.Fields.IsDefaultOrEmpty)
        {
            facets.RemoveAll(facet => facet.Present == 0);
        }
        return new FacetResult(_matched, facets, _scan.Report());
    }
}
