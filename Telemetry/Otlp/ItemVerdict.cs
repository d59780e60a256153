namespace Apm.Telemetry.Otlp;

/// <summary>Gathers the verdict on one message while its fields are read: the first thing wrong counts.</summary>
internal struct ItemVerdict
{
    private int _attributes;

    public Rejection Rejection { get; private set; }

    /// <summary>Reads an attribute and looks at everything in it.</summary>
    /// <returns>Its key.</returns>
    public ReadOnlySpan<byte> Attribute(ReadOnlySpan<byte> keyValue, out AnyValue value)
    {
        if (++_attributes > OtlpLimits.MaxAttributes)
        {
            Add(new(RejectionReason.TooManyAttributes, (ulong)_attributes));
        }
        var pair = KeyValue.ReadWhole(keyValue, 0, out value, out var rejection);
        Add(rejection);
        return pair.Key;
    }

    public void Name(ReadOnlySpan<byte> name)
    {
        if (name.Length > OtlpLimits.MaxNameBytes)
        {
            Add(new(RejectionReason.NameTooLong, (ulong)name.Length));
        }
    }

    public void Value(ReadOnlySpan<byte> value)
    {
        if (value.Length > OtlpLimits.MaxValueBytes)
        {
            Add(new(RejectionReason.ValueTooLarge, (ulong)value.Length));
        }
    }

    public void Time(ulong unixNano)
    {
        if (unixNano > long.MaxValue)
        {
            Add(new(RejectionReason.InvalidTime, unixNano));
        }
    }

    public void Item(ReadOnlySpan<byte> item)
    {
        if (item.Length > OtlpLimits.MaxItemBytes)
        {
            Add(new(RejectionReason.ItemTooLarge, (ulong)item.Length));
        }
    }

    public void Add(Rejection rejection)
    {
        if (Rejection.IsNone)
        {
            Rejection = rejection;
        }
    }
}
