namespace Apm.Telemetry;

/// <summary>The first number of each of the six severity ranges of opentelemetry.proto.logs.v1.SeverityNumber; a range holds four numbers.</summary>
public static class SeverityNumber
{
    public const byte Unspecified = 0;
    public const byte Trace = 1;
    public const byte Debug = 5;
    public const byte Info = 9;
    public const byte Warn = 13;
    public const byte Error = 17;
    public const byte Fatal = 21;

    /// <summary>The highest number the specification defines.</summary>
    public const byte Max = 24;

    /// <summary>"trace", "debug", "info", "warn", "error", "fatal", or "unspecified".</summary>
    public static string RangeName(int severityNumber) => severityNumber switch
    {
        >= Fatal and <= Max => "fatal",
        >= Error and < Fatal => "error",
        >= Warn and < Error => "warn",
        >= Info and < Warn => "info",
        >= Debug and < Info => "debug",
        >= Trace and < Debug => "trace",
        _ => "unspecified",
    };
}
