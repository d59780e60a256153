namespace Apm.Telemetry;

/// <summary>opentelemetry.proto.trace.v1.Status.StatusCode.</summary>
public enum StatusCode : byte
{
    Unset = 0,
    Ok = 1,
    Error = 2,
}
