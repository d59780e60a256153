using System.Globalization;
using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;

namespace Apm.Storage.Tests.Embedded;

/// <summary>Batches with everything a batch may hold, the same for the same seed.</summary>
internal sealed class RandomBatch
{
    private readonly Random _random;
    private readonly int _keys;
    private readonly int _distinct;

    /// <param name="keys">Distinct attribute keys.</param>
    /// <param name="distinct">About how many values a key has.</param>
    public RandomBatch(int seed, int keys = 12, int distinct = 40)
    {
        _random = new Random(seed);
        _keys = keys;
        _distinct = distinct;
    }

    public ColumnBatch Spans(int rows, int traces = 0) => Fill(new ColumnBatch(Signal.Traces), rows, traces > 0 ? traces : Math.Max(1, rows / 6));

    public ColumnBatch Logs(int rows) => Fill(new ColumnBatch(Signal.Logs), rows, Math.Max(1, rows / 6));

    private ColumnBatch Fill(ColumnBatch batch, int rows, int traces)
    {
        var owners = 1 + _random.Next(4);
        for (var i = 0; i < owners; i++)
        {
            batch.ResourceSchemaUrl.Add(batch.Strings.Intern(Text(2)));
            batch.ResourceDroppedAttributesCount.Add((uint)_random.Next(2));
            batch.ResourceAttributes.Add(batch.Strings.Intern("service.name"), AttributeType.String, batch.Strings.Intern("service-" + i));
            Attributes(batch, batch.ResourceAttributes);
            batch.ScopeName.Add(batch.Strings.Intern(Text(3)));
            batch.ScopeVersion.Add(batch.Strings.Intern(Text(2)));
            batch.ScopeSchemaUrl.Add(batch.Strings.Intern(Text(2)));
            batch.ScopeDroppedAttributesCount.Add((uint)_random.Next(2));
            Attributes(batch, batch.ScopeAttributes);
        }
        var ids = new TraceId[traces];
        foreach (ref var id in ids.AsSpan())
        {
            id = new TraceId((ulong)_random.NextInt64(), (ulong)_random.NextInt64());
        }
        for (var row = 0; row < rows; row++)
        {
            Row(batch, ids, owners);
        }
        return batch;
    }

    private void Row(ColumnBatch batch, TraceId[] traces, int owners)
    {
        var outside = batch.Signal == Signal.Logs && _random.Next(3) == 0;
        batch.TraceId.Add(outside ? default : traces[_random.Next(traces.Length)]);
        batch.SpanId.Add(outside ? default : new SpanId((ulong)_random.NextInt64(1, 1L << 40)));
        batch.TimeUnixNano.Add(_random.Next(50) == 0 ? _random.NextInt64() : 1_700_000_000_000_000_000 + _random.NextInt64(60_000_000_000));
        batch.Resource.Add(_random.Next(owners));
        batch.Scope.Add(_random.Next(owners));
        batch.Name.Add(batch.Strings.Intern(Text(_distinct)));
        batch.Flags.Add(_random.Next(4) == 0 ? uint.MaxValue : 1);
        batch.DroppedAttributesCount.Add((uint)(_random.Next(9) == 0 ? _random.Next() : 0));
        Attributes(batch, batch.Attributes);
        if (batch.Signal == Signal.Traces)
        {
            Span(batch);
            return;
        }
        batch.ObservedTimeUnixNano.Add(batch.TimeUnixNano[batch.Rows - 1] + _random.Next(-10, 1000));
        batch.SeverityNumber.Add((byte)_random.Next(25));
        batch.SeverityText.Add(batch.Strings.Intern(Text(5)));
        var (type, bits) = Value(batch);
        batch.BodyType.Add(type);
        batch.BodyBits.Add(bits);
    }

    private void Span(ColumnBatch batch)
    {
        var row = batch.Rows - 1;
        batch.ParentSpanId.Add(_random.Next(6) switch
        {
            0 => default,
            1 => new SpanId((ulong)_random.NextInt64(1, 1L << 40)),
            2 => batch.SpanId[row],
            _ => batch.SpanId[_random.Next(row + 1)],
        });
        batch.DurationNano.Add(_random.Next(20) == 0 ? _random.NextInt64() : _random.Next(100_000_000));
        batch.Kind.Add((byte)_random.Next(6));
        batch.Status.Add((byte)_random.Next(3));
        batch.StatusMessage.Add(batch.Strings.Intern(_random.Next(5) == 0 ? Text(30) : ""));
        batch.TraceState.Add(batch.Strings.Intern(_random.Next(5) == 0 ? Text(30) : ""));
        batch.DroppedEventsCount.Add((uint)_random.Next(3));
        batch.DroppedLinksCount.Add((uint)_random.Next(3));
        for (var left = Math.Max(0, _random.Next(-4, 4)); left > 0; left--)
        {
            batch.EventTimeUnixNano.Add(batch.TimeUnixNano[row] + _random.Next(-1000, 1_000_000));
            batch.EventName.Add(batch.Strings.Intern(Text(6)));
            batch.EventDroppedAttributesCount.Add((uint)_random.Next(2));
            Attributes(batch, batch.EventAttributes);
        }
        batch.EventEnd.Add(batch.EventName.Count);
        for (var left = Math.Max(0, _random.Next(-4, 3)); left > 0; left--)
        {
            batch.LinkTraceId.Add(new TraceId((ulong)_random.NextInt64(), (ulong)_random.NextInt64()));
            batch.LinkSpanId.Add(new SpanId((ulong)_random.NextInt64()));
            batch.LinkTraceState.Add(batch.Strings.Intern(Text(4)));
            batch.LinkFlags.Add((uint)_random.Next(3));
            batch.LinkDroppedAttributesCount.Add((uint)_random.Next(2));
            Attributes(batch, batch.LinkAttributes);
        }
        batch.LinkEnd.Add(batch.LinkSpanId.Count);
    }

    private void Attributes(ColumnBatch batch, AttributeTable table)
    {
        for (var left = _random.Next(5); left > 0; left--)
        {
            var (type, bits) = Value(batch);
            table.Add(batch.Strings.Intern("key." + _random.Next(_keys).ToString(CultureInfo.InvariantCulture)), type, bits);
        }
        table.EndOwner();
    }

    private (AttributeType Type, long Bits) Value(ColumnBatch batch)
    {
        var type = (AttributeType)_random.Next(8);
        return (type, type switch
        {
            AttributeType.Empty => 0,
            AttributeType.Bool => _random.Next(2),
            AttributeType.Int64 => _random.Next(4) == 0 ? _random.NextInt64(long.MinValue, long.MaxValue) : _random.Next(-5, _distinct),
            AttributeType.Double => BitConverter.DoubleToInt64Bits(_random.Next(6) switch
            {
                0 => double.NaN,
                1 => -0.0,
                2 => _random.Next(5),
                3 => double.PositiveInfinity,
                _ => _random.NextDouble(),
            }),
            AttributeType.String => batch.Strings.Intern(Text(_distinct)),
            _ => batch.Strings.Intern(Content()),
        });
    }

    private string Text(int distinct) => _random.Next(8) == 0 ? "" : "text " + _random.Next(distinct).ToString(CultureInfo.InvariantCulture) + (_random.Next(4) == 0 ? " ünïcode 漢字 and more of it" : "");

    private byte[] Content()
    {
        var bytes = new byte[_random.Next(12)];
        _random.NextBytes(bytes);
        return bytes;
    }
}
