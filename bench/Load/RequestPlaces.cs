using System.Buffers.Binary;
using Apm.Telemetry;
using Apm.Telemetry.Otlp;

namespace Apm.Bench;

/// <summary>Finds what is rewritten, by walking the encoded request.</summary>
internal sealed class RequestPlaces(byte[] bytes)
{
    public List<int> TraceIds { get; } = [];

    public List<int> SpanIds { get; } = [];

    public List<int> Times { get; } = [];

    public List<Patch> Patches { get; } = [];

    /// <summary>Finds all of it. Resources, scopes and items have the same field numbers for spans and log records.</summary>
    public void Find(Signal signal)
    {
        foreach (var resource in Messages(bytes, 1))
        {
            foreach (var scope in Messages(bytes.AsSpan(resource), 2))
            {
                foreach (var item in Messages(bytes.AsSpan(scope), 2))
                {
                    if (signal == Signal.Traces)
                    {
                        Span(bytes.AsSpan(item));
                    }
                    else
                    {
                        LogRecord(bytes.AsSpan(item));
                    }
                }
            }
        }
    }

    private void Span(ReadOnlySpan<byte> span)
    {
        var reader = new ProtobufReader(span);
        while (!reader.End)
        {
            var tag = reader.ReadTag();
            switch (tag)
            {
                case (1 << 3) | 2:
                    Id(TraceIds, reader.ReadBytes(), 16);
                    break;
                case (2 << 3) | 2 or (4 << 3) | 2:
                    Id(SpanIds, reader.ReadBytes(), 8);
                    break;
                case (7 << 3) | 1 or (8 << 3) | 1:
                    Times.Add(At(span[reader.Position..]));
                    reader.ReadFixed64();
                    break;
                case (9 << 3) | 2:
                    Attribute(reader.ReadBytes());
                    break;
                case (11 << 3) | 2:
                    Event(reader.ReadBytes());
                    break;
                default:
                    reader.Skip(tag);
                    break;
            }
        }
    }

    private void LogRecord(ReadOnlySpan<byte> record)
    {
        var reader = new ProtobufReader(record);
        while (!reader.End)
        {
            var tag = reader.ReadTag();
            switch (tag)
            {
                case (1 << 3) | 1 or (11 << 3) | 1:
                    Times.Add(At(record[reader.Position..]));
                    reader.ReadFixed64();
                    break;
                case (5 << 3) | 2:
                    Value(reader.ReadBytes());
                    break;
                case (6 << 3) | 2:
                    Attribute(reader.ReadBytes());
                    break;
                case (9 << 3) | 2:
                    Id(TraceIds, reader.ReadBytes(), 16);
                    break;
                case (10 << 3) | 2:
                    Id(SpanIds, reader.ReadBytes(), 8);
                    break;
                default:
                    reader.Skip(tag);
                    break;
            }
        }
    }

    /// <summary>Traces, with the number of items of each that are here.</summary>
    public IEnumerable<TraceSample> Traces() =>
        TraceIds.Select(at => (High: BinaryPrimitives.ReadUInt64BigEndian(bytes.AsSpan(at)), Low: BinaryPrimitives.ReadUInt64BigEndian(bytes.AsSpan(at + 8))))
            .GroupBy(id => id, (id, items) => new TraceSample(id.High, id.Low, items.Count()));

    private void Event(ReadOnlySpan<byte> happened)
    {
        var reader = new ProtobufReader(happened);
        while (!reader.End)
        {
            var tag = reader.ReadTag();
            switch (tag)
            {
                case (1 << 3) | 1:
                    Times.Add(At(happened[reader.Position..]));
                    reader.ReadFixed64();
                    break;
                case (3 << 3) | 2:
                    Attribute(reader.ReadBytes());
                    break;
                default:
                    reader.Skip(tag);
                    break;
            }
        }
    }

    private void Attribute(ReadOnlySpan<byte> attribute)
    {
        var reader = new ProtobufReader(attribute);
        while (!reader.End)
        {
            var tag = reader.ReadTag();
            if (tag == ((2 << 3) | 2))
            {
                Value(reader.ReadBytes());
            }
            else
            {
                reader.Skip(tag);
            }
        }
    }

    private void Value(ReadOnlySpan<byte> value)
    {
        var reader = new ProtobufReader(value);
        while (!reader.End)
        {
            var tag = reader.ReadTag();
            if (tag == ((1 << 3) | 2))
            {
                var text = reader.ReadBytes();
                Patch.Find(text, At(text), Patches);
            }
            else
            {
                reader.Skip(tag);
            }
        }
    }

    private void Id(List<int> ids, ReadOnlySpan<byte> id, int length)
    {
        if (id.Length == length)
        {
            ids.Add(At(id));
        }
    }

    private List<Range> Messages(ReadOnlySpan<byte> message, int field)
    {
        var found = new List<Range>();
        var reader = new ProtobufReader(message);
        while (!reader.End)
        {
            var tag = reader.ReadTag();
            if (tag == (uint)((field << 3) | 2))
            {
                var inner = reader.ReadBytes();
                var at = At(inner);
                found.Add(at..(at + inner.Length));
            }
            else
            {
                reader.Skip(tag);
            }
        }
        return found;
    }

    private int At(ReadOnlySpan<byte> part) => bytes.AsSpan().Overlaps(part, out var at) ? at : throw new InvalidOperationException("not a part of the body");
}
