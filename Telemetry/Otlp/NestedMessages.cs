namespace Apm.Telemetry.Otlp;

/// <summary>The messages of an ArrayValue or KeyValueList, both of which hold them in field 1, for <c>foreach</c>; nothing is allocated.</summary>
public ref struct NestedMessages
{
    private ProtobufReader _reader;

    internal NestedMessages(ReadOnlySpan<byte> list) => _reader = new ProtobufReader(list);

    public ReadOnlySpan<byte> Current { get; private set; }

    public readonly NestedMessages GetEnumerator() => this;

    /// <exception cref="MalformedOtlpException">The bytes are not such a list.</exception>
    public bool MoveNext()
    {
        while (!_reader.End)
        {
            var tag = _reader.ReadTag();
            if (tag == (1 << 3 | 2))
            {
                Current = _reader.ReadBytes();
                return true;
            }
            _reader.Skip(tag);
        }
        return false;
    }
}
