namespace Apm.Web;

/// <summary>Settings of the UI; bound to the section <c>Web</c> by the host.</summary>
public sealed class WebOptions
{
    /// <summary>How long a page waits for one answer of the Query API before it shows an error with "Retry".</summary>
    public static readonly TimeSpan DefaultQueryTimeout = TimeSpan.FromSeconds(35);

    /// <summary>Root of the server that answers /api/v1. Null: the host's own first HTTP address, over loopback.</summary>
    public Uri? QueryAddress { get; set; }

    /// <summary>A little above Query's own deadline of 30 s, so that the API's explanation arrives before ours replaces it.</summary>
    public TimeSpan QueryTimeout { get; set; } = DefaultQueryTimeout;

    /// <summary>The OTLP/HTTP address shown in "how to send data"; null: the host name of the request with port 4318.</summary>
    public string? OtlpHttpEndpoint { get; set; }

    /// <summary>The OTLP/gRPC address shown in "how to send data"; null: the host name of the request with port 4317.</summary>
    public string? OtlpGrpcEndpoint { get; set; }
}
