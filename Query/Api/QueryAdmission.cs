using Microsoft.Extensions.Options;

namespace Apm.Query.Api;

/// <summary>Too many queries run and wait already: answered 503 with Retry-After.</summary>
public sealed class QueryOverloadException(TimeSpan retryAfter) : Exception("Too many queries are running; try again shortly.")
{
    public TimeSpan RetryAfter { get; } = retryAfter;
}

/// <summary>Bounds how many queries run at once. Those that wait get their turn in the order they came. Thread-safe.</summary>
internal sealed class QueryAdmission(IOptions<QueryOptions> options, TimeProvider time)
{
    /// <summary>Advice to a client that was turned away: about the time a queue takes to drain.</summary>
    private static readonly TimeSpan s_retryAfter = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly LinkedList<TaskCompletionSource> _waiting = new();
    private int _running;

    /// <summary>Waits for a turn; the caller disposes it when the query is done.</summary>
    /// <exception cref="QueryOverloadException">The queue is full, or the wait was too long.</exception>
    public async ValueTask<Turn> EnterAsync(CancellationToken cancellationToken)
    {
        LinkedListNode<TaskCompletionSource> node;
        lock (_lock)
        {
            if (_running < options.Value.ConcurrentQueries)
            {
                _running++;
                return new Turn(this);
            }
            if (_waiting.Count >= options.Value.WaitingQueries)
            {
                throw new QueryOverloadException(s_retryAfter);
            }
            node = _waiting.AddLast(new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        try
        {
            await node.Value.Task.WaitAsync(options.Value.WaitLimit, time, cancellationToken);
            return new Turn(this);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            if (!Abandon(node))
            {
                // The turn was granted in the same moment; it goes to the next.
                Leave();
            }
            throw exception is TimeoutException ? new QueryOverloadException(s_retryAfter) : exception;
        }
    }

    /// <summary>False when the node's turn has come already.</summary>
    private bool Abandon(LinkedListNode<TaskCompletionSource> node)
    {
        lock (_lock)
        {
            if (node.List is null)
            {
                return false;
            }
            _waiting.Remove(node);
            return true;
        }
    }

    private void Leave()
    {
        TaskCompletionSource? next = null;
        lock (_lock)
        {
            if (_waiting.First is { } first)
            {
                next = first.Value;
                _waiting.RemoveFirst();
            }
            else
            {
                _running--;
            }
        }
        next?.SetResult();
    }

    /// <summary>Leave to run; disposed once.</summary>
    internal sealed class Turn(QueryAdmission admission) : IDisposable
    {
        private bool _left;

        public void Dispose()
        {
            if (!Interlocked.Exchange(ref _left, true))
            {
                admission.Leave();
            }
        }
    }
}
