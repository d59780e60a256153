using Apm.DurableBuffer;
using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Otlp;
using Microsoft.Extensions.Logging;

namespace Apm.Ingester;

/// <summary>
/// Joins batches of consecutive positions into one column batch a signal. A body that cannot be decoded is logged, counted and left out; what it held
/// before the damage is kept. Holds the batches until <see cref="Clear"/>, which disposes them. Used by one thread.
/// </summary>
internal sealed partial class BatchJoiner(IngesterOptions options, IngesterMetrics metrics, ILogger logger)
{
    private readonly List<Batch> _batches = [];
    private readonly ColumnBatchDecoder _traces = new(Signal.Traces);
    private readonly ColumnBatchDecoder _logs = new(Signal.Logs);
    private long _bytes;

    /// <summary>The position of the batch added last.</summary>
    public long LastPosition { get; private set; }

    public bool IsFull => _traces.Rows + _logs.Rows >= options.JoinRows || _bytes >= options.JoinBytes;

    /// <param name="batch">Owned by the joiner from now on.</param>
    /// <param name="stored">The batch's signal is in storage already: only its position counts.</param>
    public void Add(Batch batch, bool stored)
    {
        LastPosition = batch.Position;
        if (stored)
        {
            batch.Dispose();
            return;
        }
        try
        {
            metrics.Decoded(batch.Signal, Decode(batch));
            _batches.Add(batch);
        }
        catch (MalformedOtlpException e)
        {
            Skip(batch, "malformed", e);
        }
        catch (BodyTooLargeException e)
        {
            Skip(batch, "too_large", e);
        }
        catch (Exception e)
        {
            // Not foreseen, so the columns may hold half a row: they are built anew from the others, and the process lives.
            Skip(batch, "failed", e);
            Rebuild();
        }
    }

    public ColumnBatch TakeTraces() => _traces.Take();

    public ColumnBatch TakeLogs() => _logs.Take();

    /// <summary>Disposes the batches joined since the last call.</summary>
    public void Clear()
    {
        foreach (var batch in _batches)
        {
            batch.Dispose();
        }
        _batches.Clear();
        _bytes = 0;
    }

    private DecodeResult Decode(Batch batch)
    {
        var decoder = batch.Signal switch
        {
            Signal.Traces => _traces,
            Signal.Logs => _logs,
            _ => throw new MalformedOtlpException(FormattableString.Invariant($"unknown signal {(byte)batch.Signal}")),
        };
        switch (batch.Encoding)
        {
            case BatchEncoding.Identity:
                _bytes += batch.Body.Length;
                return decoder.Append(batch.Body.Span, batch.ReceivedUnixNano);
            case BatchEncoding.Gzip:
                using (var body = GzipBody.Decompress(batch.Body, options.MaxBodyBytes))
                {
                    _bytes += body.Memory.Length;
                    return decoder.Append(body.Memory.Span, batch.ReceivedUnixNano);
                }
            default:
                throw new MalformedOtlpException(FormattableString.Invariant($"unknown encoding {(byte)batch.Encoding}"));
        }
    }

    private void Rebuild()
    {
        _traces.Take();
        _logs.Take();
        foreach (var batch in _batches)
        {
            Decode(batch);
        }
    }

    private void Skip(Batch batch, string reason, Exception error)
    {
        metrics.SkippedBody(batch.Signal, reason);
        LogSkipped(batch.Position, batch.Signal, reason, error.Message, error);
        batch.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The batch at position {Position} ({Signal}) cannot be decoded and is left out, {Reason}: {What}")]
    private partial void LogSkipped(long position, Signal signal, string reason, string what, Exception error);
}
