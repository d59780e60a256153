using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Apm.Storage.Embedded;
using Apm.Storage.Embedded.Search;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Tests.Search;

/// <summary>Small random stores and filters over few values, so that filters match something and ties, duplicates, orphans and cycles are common.</summary>
internal sealed class RandomTelemetry(int seed)
{
    private static readonly string[] Keys = ["a", "b", "c", "d", "service.name"];

    private static readonly AttributeValue[] Values =
    [
        AttributeValue.FromString("x"), AttributeValue.FromString("Xy"), AttributeValue.FromString("5"), AttributeValue.FromString(""),
        AttributeValue.FromContent(AttributeType.String, [0x78, 0xFF, 0x79]), AttributeValue.FromInt64(5), AttributeValue.FromInt64(0), AttributeValue.FromInt64(-3),
        AttributeValue.FromInt64((1L << 53) + 1), AttributeValue.FromDouble(1L << 53), AttributeValue.FromDouble(5), AttributeValue.FromDouble(4.5),
        AttributeValue.FromDouble(-0.0), AttributeValue.FromDouble(double.NaN), AttributeValue.FromDouble(double.PositiveInfinity), AttributeValue.FromInt64(long.MaxValue),
        AttributeValue.FromDouble(9.2233720368547758e18), AttributeValue.FromBool(true), AttributeValue.FromBool(false), AttributeValue.Empty,
        AttributeValue.FromContent(AttributeType.Bytes, [1, 2, 3]),
    ];

    private readonly Random _random = new(seed);

    public Random Random => _random;

    /// <summary>Records in the batches they are appended in; with <paramref name="signal"/> Traces some spans are in two of them, unless not <paramref name="withRepeats"/>.</summary>
    public List<List<TestRecord>> Batches(Signal signal, bool withRepeats = true)
    {
        var resources = Enumerable.Range(0, 4).Select(_ => new TestOwner("", "", [("service.name", AttributeValue.FromString(Pick("cart", "pay", "x"))), .. Attributes()])).ToArray();
        var scopes = Enumerable.Range(0, 2).Select(_ => new TestOwner(Pick("lib", "x"), Pick("1", "2"), Attributes())).ToArray();
        var batches = new List<List<TestRecord>>();
        ulong nextSpan = 1;
        for (var i = _random.Next(1, 5); i > 0; i--)
        {
            var batch = new List<TestRecord>();
            for (var row = _random.Next(1, 90); row > 0; row--)
            {
                batch.Add(Record(signal, nextSpan++, resources, scopes));
            }
            if (signal == Signal.Traces && withRepeats && batches.Count > 0)
            {
                batch.AddRange(batches[_random.Next(batches.Count)].Where(_ => _random.Next(3) == 0));
                batch.AddRange(batch.Where(_ => _random.Next(20) == 0).ToList());
            }
            batches.Add(batch);
        }
        return batches;
    }

    public static List<RowSource> Sources(Signal signal, List<List<TestRecord>> batches) =>
        batches.ConvertAll(RowSource (batch) => new HeadSource(TestRecord.ToBatch(signal, batch), blockRows: 16));

    private TestRecord Record(Signal signal, ulong id, TestOwner[] resources, TestOwner[] scopes) => new()
    {
        TraceId = new TraceId(7, (ulong)_random.Next(signal == Signal.Logs ? 0 : 1, 25)),
        SpanId = new SpanId(id),
        Parent = new SpanId((ulong)_random.Next(3) switch { 0 => 0, 1 => (ulong)_random.Next(1, (int)id + 3), _ => id }),
        Time = _random.Next(100),
        Duration = _random.Next(30),
        Name = Pick("x", "GET /", "get", ""),
        Kind = (SpanKind)_random.Next(6),
        Status = (StatusCode)_random.Next(3),
        StatusMessage = Pick("", "x", "boom"),
        Severity = (byte)_random.Next(25),
        SeverityText = Pick("", "INFO", "x"),
        Body = Value(),
        Resource = resources[_random.Next(resources.Length)],
        Scope = scopes[_random.Next(scopes.Length)],
        Attributes = Attributes(),
        Events = [.. Enumerable.Range(0, signal == Signal.Logs ? 0 : Math.Max(0, _random.Next(5) - 2)).Select(_ => new TestOwner(Pick("exception", "x"), "", Attributes()))],
        Links = [.. Enumerable.Range(0, signal == Signal.Logs ? 0 : Math.Max(0, _random.Next(5) - 3)).Select(_ => TestOwner.Of(Attributes()))],
    };

    private (string, AttributeValue)[] Attributes() => [.. Enumerable.Range(0, _random.Next(4)).Select(_ => (Pick(Keys), Value()))];

    public AttributeValue Value() => Values[_random.Next(Values.Length)];

    private T Pick<T>(params T[] values) => values[_random.Next(values.Length)];

    public TimeRange Range() => _random.Next(3) == 0 ? TimeRange.All : new TimeRange(_random.Next(60), _random.Next(40, 110));

    public Field Field(bool traceFields = true)
    {
        if (_random.Next(3) > 0)
        {
            return Telemetry.Filters.Field.Attribute(Pick(FieldScope.Any, FieldScope.Record, FieldScope.Resource, FieldScope.InstrumentationScope, FieldScope.Event, FieldScope.Link), Pick(Keys));
        }
        var last = traceFields ? Enum.GetValues<Intrinsic>() : [.. Enum.GetValues<Intrinsic>().Where(value => value is not (Intrinsic.RootName or Intrinsic.RootServiceName or Intrinsic.TraceDuration))];
        return Telemetry.Filters.Field.Of(last[_random.Next(1, last.Length)]);
    }

    public Filter Filter(int depth = 3)
    {
        var kind = _random.Next(depth == 0 ? 5 : 9);
        return kind switch
        {
            0 => new ExistsFilter(Field(), _random.Next(2) == 0),
            1 => new RegexFilter(Field(), new Regex("^(?:" + Pick("x.*", "GET.*", ".*", "5") + ")$", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant), _random.Next(2) == 0),
            2 => new ContainsFilter(Field(), Pick("X", "g", "y", "")),
            3 => new TextEqualFilter(Pick(Keys), [FieldScope.Record, FieldScope.Resource, Pick(FieldScope.Event, FieldScope.Link)], Pick("5", "x", "true", "AQID", "", "4.5")),
            4 => Comparison(),
            5 => Comparison(),
            6 => new AndFilter([Filter(depth - 1), Filter(depth - 1)]),
            7 => new OrFilter([Filter(depth - 1), Filter(depth - 1), Filter(depth - 1)]),
            _ => new NotFilter(Filter(depth - 1)),
        };
    }

    /// <summary>A filter in full, for messages.</summary>
    public static string Describe(Filter filter) => filter switch
    {
        AndFilter and => $"({string.Join(" && ", and.Filters.Select(Describe))})",
        OrFilter or => $"({string.Join(" || ", or.Filters.Select(Describe))})",
        NotFilter not => $"!{Describe(not.Operand)}",
        TextEqualFilter text => $"{string.Join('/', text.Scopes)}.{text.Key} as text = '{text.Text}'",
        _ => filter.ToString(),
    };

    private ComparisonFilter Comparison()
    {
        var field = Field();
        var literal = field.Intrinsic switch
        {
            Intrinsic.TraceId => AttributeValue.FromString(new TraceId(7, (ulong)_random.Next(25)).ToString()),
            Intrinsic.SpanId or Intrinsic.ParentSpanId => AttributeValue.FromString(Pick("", new SpanId((ulong)_random.Next(1, 100)).ToString(), "zz")),
            Intrinsic.Duration or Intrinsic.TraceDuration => Pick(AttributeValue.FromInt64(_random.Next(40)), AttributeValue.FromDouble(_random.Next(60) / 2.0)),
            Intrinsic.Kind or Intrinsic.Status or Intrinsic.Severity => AttributeValue.FromInt64(_random.Next(25)),
            _ => Value(),
        };
        var ids = field.Intrinsic is Intrinsic.TraceId or Intrinsic.SpanId or Intrinsic.ParentSpanId;
        return new ComparisonFilter(field, (ComparisonOperator)_random.Next(ids ? 2 : 6), literal);
    }
}
