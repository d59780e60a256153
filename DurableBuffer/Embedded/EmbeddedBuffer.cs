using System.Diagnostics.Metrics;
using System.Globalization;
using Apm.Telemetry.Files;
using Microsoft.Extensions.Logging;

namespace Apm.DurableBuffer.Embedded;

/// <summary>
/// The durable buffer as a write-ahead log in one directory, for one process. Appends wait for one thread, which writes everything that waits and syncs once for all
/// (<c>EmbeddedBuffer.Commit.cs</c>); the reader gets durable batches from memory while it keeps up, else from the disk (<c>EmbeddedBuffer.Read.cs</c>).
/// The log remembers no commit: storage tells what it holds, at <see cref="Open"/> and by <see cref="CommitAsync"/>.
/// </summary>
public sealed partial class EmbeddedBuffer : IBufferWriter, IBufferReader, IAsyncDisposable
{
    /// <summary>After the backlog's bound was hit: storage needs seconds to make room.</summary>
    private static readonly TimeSpan BacklogRetryAfter = TimeSpan.FromSeconds(5);

    /// <summary>After the bound on waiting appends was hit: the disk takes them within a second.</summary>
    private static readonly TimeSpan PendingRetryAfter = TimeSpan.FromSeconds(1);

    /// <summary>After the disk failed or filled up: somebody has to do something.</summary>
    private static readonly TimeSpan FaultRetryAfter = TimeSpan.FromSeconds(5);

    /// <summary>Smallest segment this works with; configuration demands more.</summary>
    private const int SmallestSegmentBytes = 2 * SegmentHeader.PageBytes;

    /// <summary>Guards all state below, for moments; no I/O and no foreign code runs under it. Never taken while holding another lock.</summary>
    private readonly object _gate = new();

    /// <summary>After the store refused new data for want of room: somebody has to do something.</summary>
    private static readonly TimeSpan RefusalRetryAfter = TimeSpan.FromSeconds(15);

    private readonly Func<string?>? _refusal;
    private readonly EmbeddedBufferOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly BufferMetrics _metrics;
    private readonly SpareSegments _spares;
    private readonly Thread _committer;
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>By position. The last one is written to unless <see cref="_mustRoll"/>.</summary>
    private readonly List<Segment> _segments;

    private List<PendingAppend> _pending = [];
    private long _pendingBytes;
    private ulong _nextGeneration;
    private bool _mustRoll;
    private bool _stopping;
    private bool _appendedSinceOpen;
    private long _appendedPosition;
    private long _readPosition;
    private long _committedPosition;
    private long _uncommittedBytes;
    private string? _fault;

    private EmbeddedBuffer(EmbeddedBufferOptions options, TimeProvider time, ILogger logger, IMeterFactory? meters, SpareSegments spares, RecoveredLog log, long coveredPosition, Func<string?>? refusal)
    {
        _refusal = refusal;
        _options = options;
        _time = time;
        _logger = logger;
        _spares = spares;
        _segments = log.Segments;
        _nextGeneration = log.NextGeneration;
        _handedOutPosition = log.LastPosition;
        _appendedPosition = Math.Max(log.LastPosition, coveredPosition);
        _committedPosition = coveredPosition;
        _readPosition = coveredPosition;
        _mustRoll = _segments.Count == 0 || coveredPosition > log.LastPosition;
        _uncommittedBytes = _segments.Sum(segment => segment.BytesAbove(coveredPosition));
        _unreadBytes = _uncommittedBytes;
        _cursor = coveredPosition + 1;
        _inMemory = _cursor > _appendedPosition;
        _metrics = new BufferMetrics(meters, () => Status);
        _metrics.Corrupt(log.CorruptRecords);
        _committer = new Thread(RunCommitter) { IsBackground = true, Name = "apm-buffer-commit" };
    }

    /// <summary>Opens the log in the directory, creating it when there is none, and checks every record that storage does not hold yet.</summary>
    /// <param name="coveredPosition">What storage holds durably: none of it is delivered again, and new positions are above it even if the log was deleted. 0: nothing.</param>
    /// <param name="refusal">Why nothing may be appended now, or null: asked before each append, must not block.</param>
    /// <exception cref="NewerFormatException">A newer version of the program wrote it.</exception>
    /// <exception cref="IOException">The directory cannot be read or created.</exception>
    public static EmbeddedBuffer Open(
        IFileSystem files, string directory, EmbeddedBufferOptions options, long coveredPosition, TimeProvider time, ILogger<EmbeddedBuffer> logger, IMeterFactory? meters = null,
        Func<string?>? refusal = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.SegmentBytes, SmallestSegmentBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(coveredPosition);
        var spares = new SpareSegments(files, directory, options.SegmentBytes, options.SpareSegments, logger);
        try
        {
            files.CreateDirectory(directory);
            files.SyncDirectory(directory.LastIndexOf('/') is >= 0 and var slash ? directory[..slash] : "");
            var log = new LogRecovery(files, directory, spares, logger).Run(coveredPosition);
            var buffer = new EmbeddedBuffer(options, time, logger, meters, spares, log, coveredPosition, refusal);
            LogOpened(logger, directory, buffer._segments.Count, log.LastPosition, coveredPosition, buffer._uncommittedBytes, log.CorruptRecords);
            buffer.PrepareFirstSegment();
            buffer._committer.Start();
            return buffer;
        }
        catch
        {
            spares.Dispose();
            throw;
        }
    }

    public BufferStatus Status
    {
        get
        {
            lock (_gate)
            {
                return new BufferStatus(_appendedPosition, _readPosition, _committedPosition, _uncommittedBytes, _options.MaxUncommittedBytes, _fault);
            }
        }
    }

    /// <summary>The largest body that fits: a record must lie in one segment.</summary>
    public int MaxBodyBytes => _options.SegmentBytes - SegmentHeader.PageBytes - RecordHeader.SizeBytes;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The body is larger than <see cref="MaxBodyBytes"/>: no retry will help.</exception>
    public ValueTask AppendAsync(Batch batch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (batch.Body.Length > MaxBodyBytes)
        {
            var length = batch.Body.Length;
            batch.Dispose();
            return ValueTask.FromException(new ArgumentException(
                string.Create(CultureInfo.InvariantCulture, $"A batch of {length} bytes is larger than a buffer segment takes ({MaxBodyBytes}); raise Buffer:SegmentBytes or send smaller batches."), nameof(batch)));
        }
        var append = new PendingAppend(batch);
        BufferFullException? refusal = _refusal?.Invoke() is { } reason ? new BufferFullException(reason, RefusalRetryAfter) : null;
        lock (_gate)
        {
            refusal ??= RefusalLocked(append.RecordBytes);
            if (refusal is null)
            {
                _pending.Add(append);
                _pendingBytes += append.RecordBytes;
                if (_pending.Count == 1)
                {
                    Monitor.Pulse(_gate);
                }
            }
        }
        if (refusal is not null)
        {
            batch.Dispose();
            _metrics.Refused(1);
            return ValueTask.FromException(refusal);
        }
        return AcknowledgeAsync(append.Done, cancellationToken);
    }

    /// <summary>Writes what waits, then stops. Appends from now on fail, a waiting reader gets <see cref="ObjectDisposedException"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (!_stopping)
            {
                _stopping = true;
                ReleaseHeldLocked();
                Monitor.PulseAll(_gate);
            }
        }
        await _stopped.Task;
        CloseReading();
        lock (_gate)
        {
            _segments.ForEach(static segment => segment.File.Dispose());
        }
        _spares.Dispose();
        _metrics.Dispose();
    }

    private BufferFullException? RefusalLocked(long recordBytes)
    {
        if (_stopping)
        {
            return new BufferFullException("The buffer is shutting down.", FaultRetryAfter);
        }
        if (_uncommittedBytes + _pendingBytes + recordBytes > _options.MaxUncommittedBytes)
        {
            return new BufferFullException(
                string.Create(CultureInfo.InvariantCulture, $"The buffer holds {_uncommittedBytes} bytes that storage has not taken yet; the limit is {_options.MaxUncommittedBytes} (Buffer:MaxUncommittedBytes)."),
                BacklogRetryAfter);
        }
        if (_pendingBytes > 0 && _pendingBytes + recordBytes > _options.MaxPendingBytes)
        {
            return new BufferFullException(
                string.Create(CultureInfo.InvariantCulture, $"{_pendingBytes} bytes wait for the disk already; the limit is {_options.MaxPendingBytes} (Buffer:MaxPendingBytes)."),
                PendingRetryAfter);
        }
        return null;
    }

    [LoggerMessage(Level = LogLevel.Information,
        Message = "Buffer '{Directory}' opened: {Segments} segments, last position {LastPosition}, storage holds up to {CoveredPosition}, {UncommittedBytes} bytes to replay, {CorruptRecords} damaged records.")]
    private static partial void LogOpened(ILogger logger, string directory, int segments, long lastPosition, long coveredPosition, long uncommittedBytes, long corruptRecords);
}
