using System.Text;
using System.Text.Unicode;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Otlp;

namespace Apm.Storage.Columns;

/// <summary>
/// Decodes export requests of one signal straight into the columns of a batch; several requests may go into one batch. Nothing is allocated per item:
/// the columns grow, the strings are interned. Items that <see cref="OtlpCheck"/> rejects are skipped by the same rule. Used by one thread.
/// </summary>
/// <remarks>
/// What is changed on the way: text that is not UTF-8 gets U+FFFD in place of what is wrong; a span that names itself as its parent becomes a root; an
/// end before the start gives a duration of 0; a span without a start begins at its end, or when it was received, with a duration of 0; an event
/// without a time happens at its span's start; a log record's time is as <see cref="ColumnBatch.TimeUnixNano"/> says.
/// </remarks>
public sealed class ColumnBatchDecoder(Signal signal)
{
    /// <summary>Attributes of a span or record for which the last item's key and value are remembered: nearly all have fewer.</summary>
    private const int PredictedAttributes = 64;

    private readonly Dictionary<(int Message, int SchemaUrl), int> _resources = [];
    private readonly Dictionary<(int Message, int SchemaUrl), int> _scopes = [];
    private readonly int[] _predictedKeys = new int[PredictedAttributes];
    private readonly int[] _predictedValues = new int[PredictedAttributes];

    private ColumnBatch _batch = new(signal);
    /// <summary>The encoded resources and scopes of the batch, so that each is decoded once.</summary>
    private StringTable _messages = new();
    private int _resource;
    private int _scope;
    private bool _resourceRejected;
    private bool _scopeRejected;
    private long _receivedUnixNano;
    private int _skipped;
    private int _repaired;
    private int _ordinal;
    private bool _hasEventWithoutTime;

    /// <summary>A value of the batch that is not text is no UTF-8 either: then a string found in the table must still be looked at.</summary>
    private bool _hasRawStrings;

    public Signal Signal { get; } = signal;

    /// <summary>Rows decoded since the last <see cref="Take"/>.</summary>
    public int Rows => _batch.Rows;

    /// <summary>Appends the request's items. When it throws, the items before the damage stay in the batch, whole, and decoding may go on with another request.</summary>
    /// <param name="body">An ExportTraceServiceRequest or ExportLogsServiceRequest, decompressed.</param>
    /// <param name="receivedUnixNano">Stands in for times that are absent.</param>
    /// <exception cref="MalformedOtlpException">The bytes are not that message.</exception>
    public DecodeResult Append(ReadOnlySpan<byte> body, long receivedUnixNano)
    {
        _receivedUnixNano = receivedUnixNano;
        _skipped = 0;
        _repaired = 0;
        var rowsBefore = _batch.Rows;
        var sink = new Sink(this);
        try
        {
            OtlpWalker.Walk(body, ref sink);
        }
        finally
        {
            // Of an item whose bytes end early; after a whole one there is nothing.
            AbandonChildren();
        }
        return new DecodeResult(_batch.Rows - rowsBefore, _skipped, _repaired);
    }

    /// <summary>The batch as it is, handed over; decoding goes on with a new one.</summary>
    public ColumnBatch Take()
    {
        var batch = _batch;
        _batch = new ColumnBatch(Signal);
        _batch.ExpectAsMuchAs(batch);
        _messages = new StringTable();
        _resources.Clear();
        _scopes.Clear();
        _hasRawStrings = false;
        ClearPredictions();
        return batch;
    }

    private void SetResource(ReadOnlySpan<byte> message, ReadOnlySpan<byte> schemaUrl)
    {
        var key = (_messages.Intern(message), Text(schemaUrl));
        if (_resources.TryGetValue(key, out _resource))
        {
            _resourceRejected = _resource < 0;
            return;
        }
        _resourceRejected = !ResourceFields.Read(message, out var fields).IsNone;
        _resource = _resourceRejected ? -1 : _batch.ResourceSchemaUrl.Count;
        _resources.Add(key, _resource);
        if (_resourceRejected)
        {
            return;
        }
        _batch.ResourceSchemaUrl.Add(key.Item2);
        _batch.ResourceDroppedAttributesCount.Add(fields.DroppedAttributesCount);
        AddAttributes(_batch.ResourceAttributes, message, ResourceFields.AttributeTag);
    }

    private void SetScope(ReadOnlySpan<byte> message, ReadOnlySpan<byte> schemaUrl)
    {
        var key = (_messages.Intern(message), Text(schemaUrl));
        if (_scopes.TryGetValue(key, out _scope))
        {
            _scopeRejected = _scope < 0;
            return;
        }
        _scopeRejected = !ScopeFields.Read(message, out var fields).IsNone;
        _scope = _scopeRejected ? -1 : _batch.ScopeName.Count;
        _scopes.Add(key, _scope);
        if (_scopeRejected)
        {
            return;
        }
        _batch.ScopeName.Add(Text(fields.Name));
        _batch.ScopeVersion.Add(Text(fields.Version));
        _batch.ScopeSchemaUrl.Add(key.Item2);
        _batch.ScopeDroppedAttributesCount.Add(fields.DroppedAttributesCount);
        AddAttributes(_batch.ScopeAttributes, message, ScopeFields.AttributeTag);
    }

    private void AddItem(ReadOnlySpan<byte> message)
    {
        if (_resourceRejected || _scopeRejected)
        {
            _skipped++;
            return;
        }
        var strings = _batch.Strings.Count;
        var repaired = _repaired;
        _ordinal = 0;
        var sink = new Sink(this);
        if (Signal == Signal.Traces)
        {
            if (SpanFields.Read(message, ref sink, out var span).IsNone)
            {
                AddSpan(in span);
                return;
            }
        }
        else if (LogRecordFields.Read(message, ref sink, out var record).IsNone)
        {
            AddLogRecord(in record);
            return;
        }
        _skipped++;
        _repaired = repaired;
        AbandonChildren();
        _batch.Strings.Truncate(strings);
        ClearPredictions();
    }

    /// <summary>Takes back what was added of an item that is not taken.</summary>
    private void AbandonChildren()
    {
        _hasEventWithoutTime = false;
        _batch.Attributes.AbandonOwner();
        if (Signal != Signal.Traces)
        {
            return;
        }
        var events = _batch.Rows == 0 ? 0 : _batch.EventEnd[_batch.Rows - 1];
        _batch.EventTimeUnixNano.Truncate(events);
        _batch.EventName.Truncate(events);
        _batch.EventDroppedAttributesCount.Truncate(events);
        _batch.EventAttributes.Truncate(events);
        var links = _batch.Rows == 0 ? 0 : _batch.LinkEnd[_batch.Rows - 1];
        _batch.LinkTraceId.Truncate(links);
        _batch.LinkSpanId.Truncate(links);
        _batch.LinkTraceState.Truncate(links);
        _batch.LinkFlags.Truncate(links);
        _batch.LinkDroppedAttributesCount.Truncate(links);
        _batch.LinkAttributes.Truncate(links);
    }

    private void ClearPredictions()
    {
        Array.Clear(_predictedKeys);
        Array.Clear(_predictedValues);
    }

    private void AddSpan(in SpanFields span)
    {
        var start = (long)span.StartTimeUnixNano;
        var end = (long)span.EndTimeUnixNano;
        if (start == 0)
        {
            start = end != 0 ? end : _receivedUnixNano;
        }
        TraceId.TryRead(span.TraceId, out var traceId);
        SpanId.TryRead(span.SpanId, out var spanId);
        SpanId.TryRead(span.ParentSpanId, out var parentSpanId);
        AddCommon(start, traceId, spanId, Text(span.Name), span.Flags, span.DroppedAttributesCount);
        _batch.ParentSpanId.Add(parentSpanId == spanId ? default : parentSpanId);
        _batch.DurationNano.Add(Math.Max(0, end - start));
        _batch.Kind.Add((byte)span.Kind);
        _batch.Status.Add((byte)span.StatusCode);
        _batch.StatusMessage.Add(Text(span.StatusMessage));
        _batch.TraceState.Add(Text(span.TraceState));
        _batch.DroppedEventsCount.Add(span.DroppedEventsCount);
        _batch.DroppedLinksCount.Add(span.DroppedLinksCount);

        if (_hasEventWithoutTime)
        {
            SetEventTimes(start);
        }
        _batch.Attributes.EndOwner();
        _batch.EventEnd.Add(_batch.EventTimeUnixNano.Count);
        _batch.LinkEnd.Add(_batch.LinkTraceId.Count);
    }

    /// <summary>Only now is the span's start known, which stands in for the times that its events lack.</summary>
    private void SetEventTimes(long spanStartUnixNano)
    {
        _hasEventWithoutTime = false;
        var first = _batch.Rows == 1 ? 0 : _batch.EventEnd[_batch.Rows - 2];
        foreach (ref var time in _batch.EventTimeUnixNano.Array.AsSpan(first.._batch.EventTimeUnixNano.Count))
        {
            time = time == 0 ? spanStartUnixNano : time;
        }
    }

    private void AddEvent(in SpanEventFields fields)
    {
        _hasEventWithoutTime |= fields.TimeUnixNano == 0;
        _batch.EventTimeUnixNano.Add((long)fields.TimeUnixNano);
        _batch.EventName.Add(Text(fields.Name));
        _batch.EventDroppedAttributesCount.Add(fields.DroppedAttributesCount);
        _batch.EventAttributes.EndOwner();
    }

    private void AddLink(in SpanLinkFields fields)
    {
        TraceId.TryRead(fields.TraceId, out var traceId);
        SpanId.TryRead(fields.SpanId, out var spanId);
        _batch.LinkTraceId.Add(traceId);
        _batch.LinkSpanId.Add(spanId);
        _batch.LinkTraceState.Add(Text(fields.TraceState));
        _batch.LinkFlags.Add(fields.Flags);
        _batch.LinkDroppedAttributesCount.Add(fields.DroppedAttributesCount);
        _batch.LinkAttributes.EndOwner();
    }

    private void AddLogRecord(in LogRecordFields record)
    {
        var time = (long)record.TimeUnixNano;
        var observed = (long)record.ObservedTimeUnixNano;
        if (time == 0)
        {
            time = observed != 0 ? observed : _receivedUnixNano;
        }
        TraceId.TryRead(record.TraceId, out var traceId);
        SpanId.TryRead(record.SpanId, out var spanId);
        AddCommon(time, traceId, spanId, Text(record.EventName), record.Flags, record.DroppedAttributesCount);
        _batch.ObservedTimeUnixNano.Add(observed);
        _batch.SeverityNumber.Add(record.SeverityNumber);
        _batch.SeverityText.Add(Text(record.SeverityText));
        var body = record.Body;
        _batch.BodyType.Add(body.Type);
        _batch.BodyBits.Add(Bits(in body));
        _batch.Attributes.EndOwner();
    }

    private void AddCommon(long timeUnixNano, TraceId traceId, SpanId spanId, int name, uint flags, uint droppedAttributesCount)
    {
        _batch.TimeUnixNano.Add(timeUnixNano);
        _batch.TraceId.Add(traceId);
        _batch.SpanId.Add(spanId);
        _batch.Resource.Add(_resource);
        _batch.Scope.Add(_scope);
        _batch.Name.Add(name);
        _batch.Flags.Add(flags);
        _batch.DroppedAttributesCount.Add(droppedAttributesCount);
    }

    /// <summary>Adds every attribute of a message, verified before, as one owner.</summary>
    private void AddAttributes(AttributeTable table, ReadOnlySpan<byte> message, uint attributeTag)
    {
        var reader = new ProtobufReader(message);
        while (!reader.End)
        {
            var tag = reader.ReadTag();
            if (tag != attributeTag)
            {
                reader.Skip(tag);
                continue;
            }
            var pair = KeyValue.Read(reader.ReadBytes());
            var value = AnyValue.Read(pair.Value);
            table.Add(Text(pair.Key), value.Type, Bits(in value));
        }
        table.EndOwner();
    }

    private void Add(AttributeTable table, ReadOnlySpan<byte> key, in AnyValue value) => table.Add(Text(key), value.Type, Bits(in value));

    /// <summary>
    /// Adds one attribute of the open row. Items of one instrumentation carry the same keys in the same order and often the same values, so the codes of
    /// the last item are tried before the table is searched.
    /// </summary>
    private void AddPredictedAttribute(ReadOnlySpan<byte> key, in AnyValue value)
    {
        var ordinal = _ordinal++;
        if (ordinal >= PredictedAttributes)
        {
            Add(_batch.Attributes, key, in value);
            return;
        }
        var keyCode = _predictedKeys[ordinal];
        if (!_batch.Strings[keyCode].SequenceEqual(key))
        {
            keyCode = Text(key);
            _predictedKeys[ordinal] = keyCode;
        }
        long bits;
        if (value.Type == AttributeType.String)
        {
            var code = _predictedValues[ordinal];
            if (!_batch.Strings[code].SequenceEqual(value.Content))
            {
                code = Text(value.Content);
                _predictedValues[ordinal] = code;
            }
            bits = code;
        }
        else
        {
            bits = Bits(in value);
        }
        _batch.Attributes.Add(keyCode, value.Type, bits);
    }

    private long Bits(in AnyValue value) => value.Type switch
    {
        AttributeType.String => Text(value.Content),
        AttributeType.Bytes or AttributeType.Array or AttributeType.KeyValueList => Raw(value.Content),
        _ => value.Bits,
    };

    private int Raw(ReadOnlySpan<byte> content)
    {
        _hasRawStrings = _hasRawStrings || !Utf8.IsValid(content);
        return _batch.Strings.Intern(content);
    }

    private int Text(ReadOnlySpan<byte> utf8)
    {
        if (utf8.IsEmpty)
        {
            return 0;
        }
        // What is in the table was looked at when it came.
        var code = _batch.Strings.Find(utf8, out var place);
        if (code >= 0 && !_hasRawStrings)
        {
            return code;
        }
        return !Utf8.IsValid(utf8) ? Repair(utf8) : code >= 0 ? code : _batch.Strings.Add(utf8, place);
    }

    private int Repair(ReadOnlySpan<byte> text)
    {
        _repaired++;
        return _batch.Strings.Intern(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(text)));
    }

    private readonly struct Sink(ColumnBatchDecoder decoder) : IOtlpSink, IItemSink
    {
        public void Resource(ReadOnlySpan<byte> resource, ReadOnlySpan<byte> schemaUrl) => decoder.SetResource(resource, schemaUrl);

        public void Scope(ReadOnlySpan<byte> scope, ReadOnlySpan<byte> schemaUrl) => decoder.SetScope(scope, schemaUrl);

        public void Item(ReadOnlySpan<byte> item) => decoder.AddItem(item);

        public void Attribute(ReadOnlySpan<byte> key, in AnyValue value) => decoder.AddPredictedAttribute(key, in value);

        public void EventAttribute(ReadOnlySpan<byte> key, in AnyValue value) => decoder.Add(decoder._batch.EventAttributes, key, in value);

        public void Event(in SpanEventFields fields) => decoder.AddEvent(in fields);

        public void LinkAttribute(ReadOnlySpan<byte> key, in AnyValue value) => decoder.Add(decoder._batch.LinkAttributes, key, in value);

        public void Link(in SpanLinkFields fields) => decoder.AddLink(in fields);
    }
}
