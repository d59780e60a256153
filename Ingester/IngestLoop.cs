using Apm.DurableBuffer;
using Apm.Storage;
using Apm.Storage.Columns;
using Apm.Telemetry;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Apm.Ingester;

/// <summary>
/// Moves batches from the buffer to storage: reads what is waiting, decodes it, appends it to both stores with its last position before anything later
/// is read, and tells the buffer what both hold durably. Never waits for more to arrive. Storage that fails is tried again until it takes the batch;
/// meanwhile the buffer fills up and senders are told to retry.
/// </summary>
public sealed partial class IngestLoop : BackgroundService
{
    private readonly IBufferReader _reader;
    private readonly IBufferWriter? _writer;
    private readonly ISpanStore _spans;
    private readonly ILogStore _logs;
    private readonly IngesterOptions _options;
    private readonly IngesterMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger<IngestLoop> _logger;
    private readonly BatchJoiner _joiner;
    private readonly TaskCompletionSource _caughtUp = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _committedPosition;
    private long _appendedPosition;
    private volatile string? _fault;

    /// <param name="writer">The buffer's other side when it is in this process: says where the log ends at the start.</param>
    public IngestLoop(
        IBufferReader reader,
        ISpanStore spans,
        ILogStore logs,
        IOptions<IngesterOptions> options,
        IngesterMetrics metrics,
        TimeProvider time,
        ILogger<IngestLoop> logger,
        IBufferWriter? writer = null)
    {
        _reader = reader;
        _writer = writer;
        _spans = spans;
        _logs = logs;
        _options = options.Value;
        _metrics = metrics;
        _time = time;
        _logger = logger;
        _joiner = new BatchJoiner(_options, metrics, logger);
    }

    /// <summary>Completes when all that the log held at the start is visible. Without the buffer's other side: when nothing was waiting for the first time.</summary>
    public Task CaughtUp => _caughtUp.Task;

    /// <summary>The last position that is visible to queries. Any thread.</summary>
    public long AppendedPosition => Interlocked.Read(ref _appendedPosition);

    /// <summary>Why nothing moves now, or null. Any thread.</summary>
    public string? Fault => _fault;

    /// <summary>Runs until cancelled; then throws <see cref="OperationCanceledException"/>.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var coveredSpans = _spans.CoveredPosition;
        var coveredLogs = _logs.CoveredPosition;
        Interlocked.Exchange(ref _appendedPosition, Math.Min(coveredSpans, coveredLogs));
        await CommitAsync(cancellationToken).ConfigureAwait(false);
        var end = _writer?.Status.AppendedPosition;
        LogStarted(AppendedPosition, end ?? -1);
        SignalCaughtUp(end, nothingWaits: false);

        using var ticks = new PeriodicTimer(_options.CommitInterval, _time);
        Task<bool>? tick = null;
        while (true)
        {
            var batch = TryRead(cancellationToken);
            if (batch is null)
            {
                SignalCaughtUp(end, nothingWaits: true);
                var read = _reader.ReadAsync(cancellationToken).AsTask();
                while (!read.IsCompleted)
                {
                    tick ??= ticks.WaitForNextTickAsync(cancellationToken).AsTask();
                    if (await Task.WhenAny(read, tick).ConfigureAwait(false) == tick)
                    {
                        // A cancelled tick may come before the cancelled read, and every later one at once.
                        cancellationToken.ThrowIfCancellationRequested();
                        tick = null;
                        await CommitAsync(cancellationToken).ConfigureAwait(false);
                    }
                }
                batch = await FinishReadAsync(read, cancellationToken).ConfigureAwait(false);
            }
            if (batch is not null)
            {
                await IngestAsync(batch, coveredSpans, coveredLogs, cancellationToken).ConfigureAwait(false);
                SignalCaughtUp(end, nothingWaits: false);
                await CommitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await RunAsync(stoppingToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            LogStopped(AppendedPosition);
        }
    }

    /// <summary>The batch, and those waiting behind it, decoded and appended.</summary>
    private async Task IngestAsync(Batch first, long coveredSpans, long coveredLogs, CancellationToken cancellationToken)
    {
        try
        {
            for (var batch = first; batch is not null; batch = _joiner.IsFull ? null : TryRead(cancellationToken))
            {
                // After a crash one store may hold more than the other: what it holds must not be joined into a batch with a later position.
                _joiner.Add(batch, stored: batch.Position <= (batch.Signal == Signal.Logs ? coveredLogs : coveredSpans));
            }
            var traces = _joiner.TakeTraces();
            var logs = _joiner.TakeLogs();
            var position = _joiner.LastPosition;
            _joiner.Clear();
            await AppendAsync(_spans, traces, position, cancellationToken).ConfigureAwait(false);
            await AppendAsync(_logs, logs, position, cancellationToken).ConfigureAwait(false);
            Interlocked.Exchange(ref _appendedPosition, position);
        }
        finally
        {
            _joiner.Clear();
        }
    }

    /// <summary>Appends also a batch without rows: it moves the store's position, without which the buffer could not forget the other signal's batches.</summary>
    private async Task AppendAsync(ITelemetryStore store, ColumnBatch batch, long position, CancellationToken cancellationToken)
    {
        for (var delay = _options.RetryDelay; ; delay = TimeSpan.FromTicks(Math.Min(2 * delay.Ticks, _options.MaxRetryDelay.Ticks)))
        {
            try
            {
                var start = _time.GetTimestamp();
                await store.AppendAsync(batch, position, cancellationToken).ConfigureAwait(false);
                _metrics.Appended(batch.Signal, _time.GetElapsedTime(start));
                ClearFault();
                return;
            }
            catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                _metrics.Retried(batch.Signal);
                _fault = $"storage does not take {(batch.Signal == Signal.Traces ? "spans" : "log records")}: {e.Message}";
                LogAppendFailed(batch.Signal, batch.Rows, position, delay.TotalSeconds, e);
            }
            await Task.Delay(delay, _time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Tells the buffer what both stores hold, when that is more than it knows. A failure is no harm: it will be told again.</summary>
    private async Task CommitAsync(CancellationToken cancellationToken)
    {
        var covered = Math.Min(_spans.CoveredPosition, _logs.CoveredPosition);
        if (covered <= _committedPosition)
        {
            return;
        }
        try
        {
            await _reader.CommitAsync(covered, cancellationToken).ConfigureAwait(false);
            _committedPosition = covered;
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            LogCommitFailed(covered, e);
        }
    }

    /// <summary>What waits, or null; null also after a failure, which the wait for the next batch will meet again.</summary>
    private Batch? TryRead(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return _reader.TryRead();
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogReadFailed(AppendedPosition, 0, e);
            return null;
        }
    }

    private async Task<Batch?> FinishReadAsync(Task<Batch> read, CancellationToken cancellationToken)
    {
        try
        {
            var batch = await read.ConfigureAwait(false);
            ClearFault();
            return batch;
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            _fault = $"the buffer cannot be read: {e.Message}";
            LogReadFailed(AppendedPosition, _options.MaxRetryDelay.TotalSeconds, e);
            await Task.Delay(_options.MaxRetryDelay, _time, cancellationToken).ConfigureAwait(false);
            return null;
        }
    }

    private void SignalCaughtUp(long? end, bool nothingWaits)
    {
        if (!_caughtUp.Task.IsCompleted && (end is { } position ? AppendedPosition >= position : nothingWaits))
        {
            _caughtUp.SetResult();
            LogCaughtUp(AppendedPosition);
        }
    }

    private void ClearFault()
    {
        if (_fault is { } fault)
        {
            _fault = null;
            LogRecovered(fault);
        }
    }
}
