using System.ComponentModel.DataAnnotations;

namespace Apm.Collector;

/// <summary>Bounds on what senders may make the Collector hold. Section <c>Collector</c>.</summary>
public sealed class CollectorOptions
{
    /// <summary>
    /// Bytes of one request as it came over the wire, before decompression; over it the answer is 413, or RESOURCE_EXHAUSTED without RetryInfo.
    /// 20 MiB is what the OpenTelemetry Collector takes over HTTP, so whatever passes there passes here.
    /// </summary>
    [Range(64 << 10, 256 << 20)]
    public int MaxBodyBytes { get; init; } = 20 << 20;

    /// <summary>Bytes of one request after decompression. 64 MiB is the limit that the OTLP specification recommends.</summary>
    [Range(64 << 10, 512 << 20)]
    public int MaxDecompressedBytes { get; init; } = 64 << 20;

    /// <summary>
    /// Bytes of all requests being received at once, compressed and decompressed; over it senders are told to retry. It bounds memory under load:
    /// 256 MiB holds four requests of the largest size, or thousands of the usual ones.
    /// </summary>
    [Range(1L << 20, 64L << 30)]
    public long MaxInFlightBytes { get; init; } = 256L << 20;

    /// <summary>What is wrong between the settings: a request of the largest size, decompressed and transcoded, must fit alone, or its sender would retry for ever.</summary>
    public IEnumerable<string> Errors()
    {
        var least = 2L * MaxBodyBytes + 2L * MaxDecompressedBytes;
        if (MaxInFlightBytes < least)
        {
            yield return FormattableString.Invariant($"Collector:MaxInFlightBytes: '{MaxInFlightBytes}' must be at least {least}, twice MaxBodyBytes and twice MaxDecompressedBytes, so that the largest request fits.");
        }
    }
}

/// <summary>A receiver with one port. Section <c>Receivers:&lt;Name&gt;</c>.</summary>
public class ReceiverOptions
{
    /// <summary>False closes the port.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Absent: the protocol's default port, left closed when it is taken. Given: the start fails when it is taken. 0: any free port.</summary>
    [Range(0, 65535)]
    public int? Port { get; init; }
}

/// <summary>Section <c>Receivers:OtlpHttp</c>.</summary>
public sealed class OtlpHttpReceiverOptions : ReceiverOptions
{
    /// <summary>Origins whose pages may send, such as <c>https://shop.example</c>, or <c>*</c>. Empty, the default: no page of another origin may.</summary>
    public string[] CorsOrigins { get; init; } = [];
}
