using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Apm.Query.Api;

/// <summary>Too many queries run and wait already: answered 503 with Retry-After.</summary>
public sealed class QueryOverloadException(TimeSpan retryAfter) : Exception("Too many queries are running; try again shortly.")
{
    public TimeSpan RetryAfter { get; } = retryAfter;
}

/// <summary>Endpoint metadata: reads what an index names (a trace by its id), and so never waits behind searches.</summary>
internal sealed class Lookup;

/// <summary>
/// Bounds how many queries run at once. Searches and look-ups have a lane each, in which those that wait get their turn in the order they came. A search that
/// has run for <see cref="AsideAfter"/> steps aside: another may begin beside it, so that short searches do not wait for the end of long ones.
/// Which of those that run gets the processor the store decides. Thread-safe.
/// </summary>
internal sealed class QueryAdmission(IOptions<QueryOptions> options, TimeProvider time)
{
    /// <summary>Several times what a page of the newest takes.</summary>
    internal static readonly TimeSpan AsideAfter = TimeSpan.FromMilliseconds(500);

    /// <summary>Advice to a client that was turned away: about the time a queue takes to drain.</summary>
    private static readonly TimeSpan s_retryAfter = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly Lane _searches = new(options.Value.ConcurrentQueries);
    private readonly Lane _lookups = new(options.Value.ConcurrentLookups);

    private TimeProvider Time => time;

    internal sealed class Lane(int places)
    {
        public int Places { get; } = places;

        public LinkedList<TaskCompletionSource> Waiting { get; } = new();

        public int Running { get; set; }

        /// <summary>Running, but no longer counted as such: at most as many as there are places.</summary>
        public int Aside { get; set; }
    }

    /// <summary>Waits for a turn in the lane that the request's endpoint has.</summary>
    /// <exception cref="QueryOverloadException">The queue is full, or the wait was too long.</exception>
    public ValueTask<Turn> EnterForAsync(HttpContext context) =>
        EnterAsync(context.RequestAborted, isLookup: context.GetEndpoint()?.Metadata.GetMetadata<Lookup>() is not null);

    /// <summary>Waits for a turn; the caller disposes it when the query is done.</summary>
    /// <exception cref="QueryOverloadException">The queue is full, or the wait was too long.</exception>
    public async ValueTask<Turn> EnterAsync(CancellationToken cancellationToken, bool isLookup = false)
    {
        var lane = isLookup ? _lookups : _searches;
        LinkedListNode<TaskCompletionSource> node;
        lock (_lock)
        {
            if (lane.Running < lane.Places)
            {
                lane.Running++;
                return new Turn(this, lane);
            }
            if (_searches.Waiting.Count + _lookups.Waiting.Count >= options.Value.WaitingQueries)
            {
                throw new QueryOverloadException(s_retryAfter);
            }
            node = lane.Waiting.AddLast(new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        try
        {
            await node.Value.Task.WaitAsync(options.Value.WaitLimit, time, cancellationToken);
            return new Turn(this, lane);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            if (!Abandon(lane, node))
            {
                // The turn was granted in the same moment; it goes to the next.
                Leave(lane);
            }
            throw exception is TimeoutException ? new QueryOverloadException(s_retryAfter) : exception;
        }
    }

    /// <summary>False when the node's turn has come already.</summary>
    private bool Abandon(Lane lane, LinkedListNode<TaskCompletionSource> node)
    {
        lock (_lock)
        {
            if (node.List is null)
            {
                return false;
            }
            lane.Waiting.Remove(node);
            return true;
        }
    }

    private void Leave(Lane lane)
    {
        TaskCompletionSource? next;
        lock (_lock)
        {
            next = FreeLocked(lane);
        }
        next?.SetResult();
    }

    /// <summary>Frees a place; the one that gets it, if any waits.</summary>
    private static TaskCompletionSource? FreeLocked(Lane lane)
    {
        if (lane.Waiting.First is not { } first)
        {
            lane.Running--;
            return null;
        }
        lane.Waiting.RemoveFirst();
        return first.Value;
    }

    /// <summary>Leave to run; disposed once.</summary>
    internal sealed class Turn : IDisposable
    {
        private readonly QueryAdmission _admission;
        private readonly Lane _lane;
        private readonly ITimer? _timer;
        private bool _isAside;
        private bool _left;

        internal Turn(QueryAdmission admission, Lane lane)
        {
            _admission = admission;
            _lane = lane;
            if (lane == admission._searches)
            {
                _timer = admission.Time.CreateTimer(static turn => ((Turn)turn!).StepAside(), this, AsideAfter, Timeout.InfiniteTimeSpan);
            }
        }

        private void StepAside()
        {
            var lane = _lane;
            TaskCompletionSource? next = null;
            lock (_admission._lock)
            {
                if (!_left && !_isAside && lane.Aside < lane.Places)
                {
                    _isAside = true;
                    lane.Aside++;
                    next = FreeLocked(lane);
                }
            }
            next?.SetResult();
        }

        public void Dispose()
        {
            _timer?.Dispose();
            var lane = _lane;
            TaskCompletionSource? next = null;
            lock (_admission._lock)
            {
                if (_left)
                {
                    return;
                }
                _left = true;
                if (_isAside)
                {
                    lane.Aside--;
                }
                else
                {
                    next = FreeLocked(lane);
                }
            }
            next?.SetResult();
        }
    }
}
