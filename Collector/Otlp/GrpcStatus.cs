namespace Apm.Collector.Otlp;

/// <summary>The gRPC status codes that the receivers use; also the codes of google.rpc.Status in OTLP/HTTP answers.</summary>
internal enum GrpcStatus
{
    Ok = 0,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    ResourceExhausted = 8,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
}
