using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Apm.Query.Api;

/// <summary>An answer that holds memory until its client has read it.</summary>
internal interface IHeldAnswer
{
    /// <summary>About so many bytes; a few KB need not be told.</summary>
    long HeldBytes { get; }
}

/// <summary>
/// Bounds the memory of the answers that clients are reading. Their turn has ended, so that a slow reader holds up no query; what they hold is counted here. An
/// answer for which there is no room waits, in its turn, until others have been read; one that takes longer than <see cref="Patience"/> while another waits is cut
/// off. So what is held is at most <see cref="QueryOptions.AnswerBytes"/>, one answer more, and those that have a turn. Thread-safe.
/// </summary>
internal sealed partial class AnswerMemory(IOptions<QueryOptions> options, TimeProvider time, ILogger<AnswerMemory> logger)
{
    /// <summary>A reader of the largest answers at 10 MB a second is done by then.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Counted for an answer that does not tell: its buffers, and Kestrel's 64 KiB.</summary>
    private const long LeastBytes = 128 << 10;

    private readonly Lock _lock = new();

    /// <summary>In the order they began to be read.</summary>
    private readonly LinkedList<Hold> _holds = new();
    private TaskCompletionSource _room = NewRoom();
    private long _bytes;

    /// <summary>Held now.</summary>
    internal long Bytes
    {
        get
        {
            lock (_lock)
            {
                return _bytes;
            }
        }
    }

    /// <summary>Counts what the result of an endpoint holds until the request has ended. Waits for room; called while the request has its turn.</summary>
    public ValueTask HoldAsync(object? result, HttpContext context)
    {
        var held = result as IHeldAnswer ?? (result as IValueHttpResult)?.Value as IHeldAnswer;
        return HoldAsync(Math.Max(held?.HeldBytes ?? 0, LeastBytes), context);
    }

    private async ValueTask HoldAsync(long bytes, HttpContext context)
    {
        while (true)
        {
            TimeSpan wait;
            Task room;
            lock (_lock)
            {
                if (TryHoldLocked(bytes, context, out wait))
                {
                    return;
                }
                room = _room.Task;
            }
            try
            {
                await room.WaitAsync(wait, time, context.RequestAborted);
            }
            catch (TimeoutException)
            {
                // The oldest has had its time: the next try cuts it off.
                continue;
            }
        }
    }

    /// <param name="wait">How long the oldest answer still has.</param>
    private bool TryHoldLocked(long bytes, HttpContext context, out TimeSpan wait)
    {
        while (_holds.First is { Value: var oldest } && _bytes + bytes > options.Value.AnswerBytes)
        {
            wait = Patience - time.GetElapsedTime(oldest.Since);
            if (wait > TimeSpan.Zero)
            {
                return false;
            }
            LogCutOff(logger, oldest.Context.Request.Path, oldest.Bytes, time.GetElapsedTime(oldest.Since).TotalSeconds);
            RemoveLocked(oldest);
            // Under the lock, as the request ends by taking it: its connection is not another's yet.
            oldest.Context.Abort();
        }
        wait = TimeSpan.Zero;
        var hold = new Hold(this, bytes, context, time.GetTimestamp());
        hold.Node = _holds.AddLast(hold);
        _bytes += bytes;
        context.Response.RegisterForDispose(hold);
        return true;
    }

    private void RemoveLocked(Hold hold)
    {
        if (hold.Node is { } node)
        {
            hold.Node = null;
            _holds.Remove(node);
            _bytes -= hold.Bytes;
        }
    }

    private void Release(Hold hold)
    {
        TaskCompletionSource room;
        lock (_lock)
        {
            RemoveLocked(hold);
            (room, _room) = (_room, NewRoom());
        }
        room.SetResult();
    }

    private static TaskCompletionSource NewRoom() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The answer to {Path}, {Bytes} bytes of memory, was cut off after {Seconds:F0} s: its client reads slowly, and others wait for the room (Query:AnswerBytes).")]
    private static partial void LogCutOff(ILogger logger, string path, long bytes, double seconds);

    private sealed class Hold(AnswerMemory owner, long bytes, HttpContext context, long since) : IDisposable
    {
        public long Bytes { get; } = bytes;

        public HttpContext Context { get; } = context;

        public long Since { get; } = since;

        /// <summary>Null when it is counted no more. Guarded by the lock.</summary>
        public LinkedListNode<Hold>? Node { get; set; }

        public void Dispose() => owner.Release(this);
    }
}
