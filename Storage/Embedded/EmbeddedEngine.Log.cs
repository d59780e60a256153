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

    [LoggerMessage(Level = LogLevel.Debug, Message = "Merged {Inputs} parts of {Signal}, {Bytes} bytes, into {Part}: level {Level}, {Rows} rows, {OutputBytes} bytes in {Milliseconds:F0} ms.")]
    private partial void LogMerged(int inputs, Signal signal, long bytes, string part, int level, long rows, long outputBytes, double milliseconds);

    [LoggerMessage(Level = LogLevel.Error, Message = "Could not merge {Inputs} parts; they stay as they are, and it is tried again in {Seconds:F0} s.")]
    private partial void LogMergeFailed(int inputs, double seconds, Exception failure);

    [LoggerMessage(Level = LogLevel.Warning, Message = "There is no room to merge: {NeededBytes} bytes are needed beside the watermark, {FreeBytes} are free.")]
    private partial void LogNoRoomToMerge(long neededBytes, long freeBytes);

    [LoggerMessage(Level = LogLevel.Error, Message = "Could not write the list of parts; it is tried again.")]
    private partial void LogListFailed(Exception failure);

    [LoggerMessage(Level = LogLevel.Error, Message = "Part {Part} is damaged; it is moved to 'damaged', and its {Rows} rows are missing from answers.")]
    private partial void LogSetAside(string part, long rows, CorruptPartException damage);

    [LoggerMessage(Level = LogLevel.Information, Message = "Dropped {Rows} rows of {Signal}, {Parts} whole parts, {Bytes} bytes: {Reason}.")]
    private partial void LogDropped(long rows, Signal signal, int parts, long bytes, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Could not read whose rows part {Part} has; what expired in it stays until that is read.")]
    private partial void LogExpiryUnknown(string part, Exception failure);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Refusal}")]
    private partial void LogRefusing(string refusal);

    [LoggerMessage(Level = LogLevel.Warning, Message = "New data is accepted again: {FreeBytes} bytes are free on the disk.")]
    private partial void LogAccepting(long freeBytes);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The free room on the disk is not known.")]
    private partial void LogFreeUnknown(Exception failure);
}
