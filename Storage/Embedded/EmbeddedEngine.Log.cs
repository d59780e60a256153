using Apm.Telemetry;
using Microsoft.Extensions.Logging;

namespace Apm.Storage.Embedded;

internal sealed partial class EmbeddedEngine
{
    [LoggerMessage(Level = LogLevel.Information, Message = "The store in '{Folder}' is open: {Parts} parts, {Bytes} bytes; spans are covered up to position {Spans}, log records up to {Logs}.")]
    private partial void LogOpened(string folder, int parts, long bytes, long spans, long logs);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Sealed {Rows} rows of {Signal} into {Part}: {Bytes} bytes in {Milliseconds:F0} ms.")]
    private partial void LogSealed(string part, Signal signal, long rows, long bytes, double milliseconds);

    [LoggerMessage(Level = LogLevel.Error, Message = "Could not seal {Rows} rows; they stay in memory, and it is tried again.")]
    private partial void LogSealFailed(int rows, Exception failure);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The store closes with {Rows} rows in memory only; the next start reads them from the buffer.")]
    private partial void LogNotSealed(int rows, Exception failure);

    [LoggerMessage(Level = LogLevel.Error, Message = "A query met a damaged block and left it out.")]
    private partial void LogDamagedBlock(CorruptPartException damage);
}
