namespace Apm.Telemetry.Otlp;

/// <summary>
/// Receives what a span or log record holds many of, while <see cref="SpanFields"/> or <see cref="LogRecordFields"/> reads it. What it was given counts only
/// when the item turns out to be taken. The bytes are valid during the call. Implemented as structs, so that the reading is compiled for each.
/// </summary>
public interface IItemSink
{
    /// <summary>An attribute of the span or log record, in order.</summary>
    void Attribute(ReadOnlySpan<byte> key, in AnyValue value);

    /// <summary>An attribute of the event that <see cref="Event"/> is called for next.</summary>
    void EventAttribute(ReadOnlySpan<byte> key, in AnyValue value);

    /// <summary>An event of the span, after its attributes.</summary>
    void Event(in SpanEventFields fields);

    /// <summary>An attribute of the link that <see cref="Link"/> is called for next.</summary>
    void LinkAttribute(ReadOnlySpan<byte> key, in AnyValue value);

    /// <summary>A link of the span, after its attributes.</summary>
    void Link(in SpanLinkFields fields);
}

/// <summary>For those who want the verdict alone.</summary>
internal readonly struct NullItemSink : IItemSink
{
    public void Attribute(ReadOnlySpan<byte> key, in AnyValue value)
    {
    }

    public void EventAttribute(ReadOnlySpan<byte> key, in AnyValue value)
    {
    }

    public void Event(in SpanEventFields fields)
    {
    }

    public void LinkAttribute(ReadOnlySpan<byte> key, in AnyValue value)
    {
    }

    public void Link(in SpanLinkFields fields)
    {
    }
}
