using Apm.Telemetry;
using Microsoft.Extensions.Logging;

namespace Apm.Ingester;

public sealed partial class IngestLoop
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Storage holds the log up to position {Position}; the log ends at {End} (-1: not known)")]
    private partial void LogStarted(long position, long end);

    [LoggerMessage(Level = LogLevel.Information, Message = "All that the log held at the start is visible, up to position {Position}")]
    private partial void LogCaughtUp(long position);

    [LoggerMessage(Level = LogLevel.Information, Message = "Ingesting stopped after position {Position}")]
    private partial void LogStopped(long position);

    [LoggerMessage(Level = LogLevel.Error, Message = "Storage does not take {Rows} rows of {Signal} up to position {Position}; trying again in {DelaySeconds} s")]
    private partial void LogAppendFailed(Signal signal, int rows, long position, double delaySeconds, Exception error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The buffer could not be told that storage holds position {Position}; it will be told again")]
    private partial void LogCommitFailed(long position, Exception error);

    [LoggerMessage(Level = LogLevel.Error, Message = "The buffer cannot be read after position {Position}; trying again in {DelaySeconds} s")]
    private partial void LogReadFailed(long position, double delaySeconds, Exception error);

    [LoggerMessage(Level = LogLevel.Information, Message = "Ingesting goes on; it had stopped because {Fault}")]
    private partial void LogRecovered(string fault);
}
