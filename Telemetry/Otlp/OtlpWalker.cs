namespace Apm.Telemetry.Otlp;

/// <summary>
/// Walks an ExportTraceServiceRequest or ExportLogsServiceRequest, whose frames have the same field numbers: request { 1 resource_x }, resource_x
/// { 1 resource, 2 scope_x, 3 schema_url }, scope_x { 1 scope, 2 items, 3 schema_url }. Allocates nothing. Fields may come in any order, so a frame's
/// head is looked for first (skipping items costs a few nanoseconds each), then its items are visited. Of a field given twice, the last counts.
/// </summary>
public static class OtlpWalker
{
    private const uint FirstTag = 1 << 3 | 2;
    private const uint SecondTag = 2 << 3 | 2;
    private const uint ThirdTag = 3 << 3 | 2;
    private const ulong RequestFields = 1UL << 1;
    private const ulong FrameFields = 1UL << 1 | 1UL << 2 | 1UL << 3;

    /// <exception cref="MalformedOtlpException">The bytes are not such a request; the sink may have received a part of it.</exception>
    public static void Walk<TSink>(ReadOnlySpan<byte> request, ref TSink sink)
        where TSink : struct, IOtlpSink, allows ref struct
    {
        var reader = new ProtobufReader(request);
        while (!reader.End)
        {
            var tag = reader.ReadTag();
            if (tag == FirstTag)
            {
                WalkResource(reader.ReadBytes(), ref sink);
            }
            else
            {
                reader.SkipUnknown(tag, RequestFields);
            }
        }
    }

    private static void WalkResource<TSink>(ReadOnlySpan<byte> frame, ref TSink sink)
        where TSink : struct, IOtlpSink, allows ref struct
    {
        ReadHead(frame, out var resource, out var schemaUrl);
        sink.Resource(resource, schemaUrl);
        var scopes = new ContentReader(frame);
        while (scopes.Next(out var scope))
        {
            WalkScope(scope, ref sink);
        }
    }

    private static void WalkScope<TSink>(ReadOnlySpan<byte> frame, ref TSink sink)
        where TSink : struct, IOtlpSink, allows ref struct
    {
        ReadHead(frame, out var scope, out var schemaUrl);
        sink.Scope(scope, schemaUrl);
        var items = new ContentReader(frame);
        while (items.Next(out var item))
        {
            sink.Item(item);
        }
    }

    private static void ReadHead(ReadOnlySpan<byte> frame, out ReadOnlySpan<byte> head, out ReadOnlySpan<byte> schemaUrl)
    {
        head = default;
        schemaUrl = default;
        var reader = new ProtobufReader(frame);
        while (!reader.End)
        {
            var tag = reader.ReadTag();
            switch (tag)
            {
                case FirstTag:
                    head = reader.ReadBytes();
                    break;
                case SecondTag:
                    reader.ReadBytes();
                    break;
                case ThirdTag:
                    schemaUrl = reader.ReadBytes();
                    break;
                default:
                    reader.SkipUnknown(tag, FrameFields);
                    break;
            }
        }
    }

    /// <summary>What a frame whose head was read holds: the scopes of a resource, or the items of a scope.</summary>
    private ref struct ContentReader(ReadOnlySpan<byte> frame)
    {
        private ProtobufReader _reader = new(frame);

        public bool Next(out ReadOnlySpan<byte> content)
        {
            while (!_reader.End)
            {
                var tag = _reader.ReadTag();
                if (tag == SecondTag)
                {
                    content = _reader.ReadBytes();
                    return true;
                }
                _reader.Skip(tag);
            }
            content = default;
            return false;
        }
    }
}
