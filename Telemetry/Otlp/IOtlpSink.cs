namespace Apm.Telemetry.Otlp;

/// <summary>
/// Receives the parts of one export request from <see cref="OtlpWalker"/>, in order: a resource, its scopes, their items. The bytes are slices of the
/// request, valid during the call. Implemented as structs, so that the walk is compiled for each.
/// </summary>
public interface IOtlpSink
{
    /// <param name="resource">The Resource message; empty when there is none.</param>
    void Resource(ReadOnlySpan<byte> resource, ReadOnlySpan<byte> schemaUrl);

    /// <param name="scope">The InstrumentationScope message; empty when there is none.</param>
    void Scope(ReadOnlySpan<byte> scope, ReadOnlySpan<byte> schemaUrl);

    /// <param name="item">A Span or a LogRecord message.</param>
    void Item(ReadOnlySpan<byte> item);
}
