using System.Diagnostics.Metrics;
using Apm.Storage.Columns;
using Apm.Storage.Embedded.Parts;
using Apm.Storage.Embedded.Retention;
using Apm.Storage.Embedded.Search;
using Apm.Telemetry;
using Apm.Telemetry.Files;
using Microsoft.Extensions.Logging;

namespace Apm.Storage.Embedded;

/// <summary>
/// Spans and log records of one folder: appended batches in memory (the head), sealed into immutable parts on disk by one background thread, listed in the
/// manifest. Queries read a snapshot of sources that is replaced whole: they take no lock, and see each row exactly once, before, while and after it is
/// sealed. Appends come from one writer; queries from any thread.
/// </summary>
internal sealed partial class EmbeddedEngine : IAsyncDisposable
{
    /// <summary>How often ages and retries are looked at.</summary>
    private static readonly TimeSpan TickInterval = TimeSpan.FromSeconds(1);

    private readonly PartFolder _folder;
    private readonly EmbeddedStoreOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly StoreMetrics _metrics;
    private readonly Thread _sealer;
    private readonly SemaphoreSlim _wake = new(0);
    private readonly ITimer _timer;

    /// <summary>Held for moments, never while reading or writing the disk: guards the fields below up to the snapshot.</summary>
    private readonly Lock _lock = new();
    private readonly List<Head> _frozen = [];
    private Head _head;
    private TaskCompletionSource? _room;
    private bool _disposed;

    private volatile bool _stopping;

    /// <summary>The shutdown's time is over: the seal in work is the last.</summary>
    private volatile bool _abandoned;

    private EmbeddedEngine(PartFolder folder, EmbeddedStoreOptions options, RetentionOptions retention, TimeProvider time, ILogger logger, IMeterFactory? meters)
    {
        _folder = folder;
        _options = options;
        _retention = retention;
        _clock = new RetentionClock(time, LastSeal(folder.Parts));
        _time = time;
        _logger = logger;
        _metrics = new StoreMetrics(meters, State);
        _head = new Head(folder.CoveredSpans, folder.CoveredLogs);
        _snapshot = null!;
        Search = new StoreSearch(time, OnDamage) { MayBeSealed = folder.Rollups.Ledger.MayBeSealed };
        lock (_lock)
        {
            PublishLocked();
        }
        RememberParts();
        _sealer = new Thread(RunSealer) { IsBackground = true, Name = "Apm.Storage sealer", Priority = ThreadPriority.BelowNormal };
        _sealer.Start();
        _upkeep = new Thread(RunUpkeep) { IsBackground = true, Name = "Apm.Storage upkeep" };
        _upkeep.Start();
        _timer = time.CreateTimer(_ => OnTick(), null, TickInterval, TickInterval);
    }

    public StoreSearch Search { get; }

    public ILogger Logger => _logger;

    /// <summary>Opens the folder, creating it when it is not there: reads the manifest, sets damaged parts aside, deletes files that no edit lists.</summary>
    /// <param name="retention">Null drops nothing.</param>
    /// <exception cref="NotSupportedException">A newer version of the program wrote the folder.</exception>
    public static EmbeddedEngine Open(
        IFileSystem files, string folder, EmbeddedStoreOptions options, TimeProvider time, ILogger logger, IMeterFactory? meters = null,
        RetentionOptions? retention = null)
    {
        var parts = PartFolder.Open(files, folder, options.CacheBytes, time, logger);
        var engine = new EmbeddedEngine(parts, options, retention ?? RetentionOptions.KeepAll, time, logger, meters);
        for (var damaged = parts.SetAside; damaged > 0; damaged--)
        {
            engine._metrics.FoundCorrupt();
        }
        engine.LogOpened(folder, parts.Parts.Spans.Length + parts.Parts.Logs.Length, parts.Bytes, parts.CoveredSpans, parts.CoveredLogs);
        return engine;
    }

    /// <summary>As <see cref="ITelemetryStore.CoveredPosition"/>: spans and log records share the buffer's positions, and each has its own mark.</summary>
    public long CoveredPosition(Signal signal) => signal == Signal.Traces ? _snapshot.CoveredSpans : _snapshot.CoveredLogs;

    /// <summary>Every append of either signal up to this position is in parts.</summary>
    public long CoveredByAll => _snapshot is var snapshot ? Math.Min(snapshot.CoveredSpans, snapshot.CoveredLogs) : 0;

    /// <summary>As <see cref="ITelemetryStore.AppendAsync"/>. Waits when the head is full and as many as may wait to be sealed do.</summary>
    public async ValueTask AppendAsync(ColumnBatch batch, long position, CancellationToken cancellationToken)
    {
        if (position > CoveredPosition(batch.Signal))
        {
            batch = WithoutStored(batch);
        }
        while (true)
        {
            Task room;
            lock (_lock)
            {
                ObjectDisposedException.ThrowIf(_disposed, this);
                if (position <= CoveredPosition(batch.Signal))
                {
                    return;
                }
                FreezeFullLocked();
                if (!IsFullLocked())
                {
                    _head.Append(batch, position, _time.GetTimestamp());
                    FreezeFullLocked();
                    PublishLocked();
                    break;
                }
                _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                room = _room.Task;
            }
            await room.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        _metrics.Appended(batch.Signal, batch.Rows);
    }

    /// <summary>Seals what is in memory now; completes when its parts are visible. Waits through retries.</summary>
    public Task SealAsync(CancellationToken cancellationToken)
    {
        Task[] pending;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (!_head.IsUnchanged)
            {
                FreezeLocked();
                PublishLocked();
            }
            pending = [.. _frozen.Select(head => head.Sealed.Task)];
        }
        return Task.WhenAll(pending).WaitAsync(cancellationToken);
    }

    /// <summary>
    /// Seals what is left, so that a restart has nothing to replay, for at most <see cref="EmbeddedStoreOptions.ShutdownTimeout"/>; then closes all files.
    /// Queries that still run are ended with <see cref="StoreClosedException"/>, and what one of them reads is closed when it has ended.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        Task[] pending;
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }
            _disposed = true;
            if (!_head.IsUnchanged)
            {
                FreezeLocked();
            }
            pending = [.. _frozen.Select(head => head.Sealed.Task)];
            _room?.TrySetException(new ObjectDisposedException(nameof(EmbeddedEngine)));
        }
        _stopping = true;
        _wake.Release();
        _upkeepWake.Release();
        await _closing.CancelAsync().ConfigureAwait(false);
        await _timer.DisposeAsync().ConfigureAwait(false);
        using var timeout = new CancellationTokenSource(_options.ShutdownTimeout, _time);
        try
        {
            await Task.WhenAll(pending).WaitAsync(timeout.Token).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            _abandoned = true;
            LogNotSealed(_frozen.Sum(head => head.Rows), failure);
        }
        await _sealerEnded.Task.ConfigureAwait(false);
        await _upkeepEnded.Task.ConfigureAwait(false);
        _snapshot.Parts.Release();
        // What the one thread replaced while the other still read it.
        _folder.DeleteObsolete();
        _folder.Dispose();
        _metrics.Dispose();
        _wake.Dispose();
        _upkeepWake.Dispose();
    }

    private bool IsFullLocked() => _head.Rows >= _options.SealRows || _head.Bytes >= _options.SealBytes;

    private void FreezeFullLocked()
    {
        if (IsFullLocked() && _frozen.Count < _options.WaitingHeads)
        {
            FreezeLocked();
        }
    }

    private void FreezeLocked()
    {
        _frozen.Add(_head);
        _head = new Head(_head.SpanPosition, _head.LogPosition);
        _wake.Release();
    }

    private void OnTick()
    {
        WatchDisk();
        _clock.Observe();
        WakeUpkeep();
        lock (_lock)
        {
            if (!_disposed && !_head.IsUnchanged && _frozen.Count < _options.WaitingHeads && _time.GetElapsedTime(_head.FirstAppendTimestamp) >= _options.SealAge)
            {
                FreezeLocked();
            }
            if (!_disposed && (_frozen.Count > 0 || Array.Exists(_folder.Parts.Spans, part => part.Source.Rollup is null)))
            {
                _wake.Release();
            }
        }
    }

    private EngineState State()
    {
        lock (_lock)
        {
            return new EngineState(
                _head.Rows + _frozen.Sum(head => (long)head.Rows), _head.Bytes + _frozen.Sum(head => head.Bytes), _frozen.Count,
                _folder.Parts.Spans.Length + _folder.Parts.Logs.Length, _folder.Bytes, _folder.SealedBytes, _folder.MergedBytes, _folder.CacheBytes, _folder.Rollups.Ledger.LeftOut);
        }
    }
}
