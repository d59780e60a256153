namespace Apm.Telemetry;

/// <summary>What a batch holds. The numbers are on disk: never renumber.</summary>
public enum Signal : byte
{
    Traces = 1,
    Logs = 2,
}
