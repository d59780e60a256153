using System.Diagnostics;

namespace Apm.Storage.Embedded.Search;

/// <summary>
/// Runs queries on threads of its own, so that requests and ingest keep theirs. Of the queries that want a thread, the one that has had the least time so far
/// goes on, a few blocks at a time: short queries overtake long ones whatever they are. A query that has had <see cref="LongAfter"/> moves to threads
/// below normal priority, which take what ingest and short queries leave. A query that takes more than a few steps is joined by other threads, one for each
/// core. Any number of threads.
/// </summary>
internal sealed class ScanScheduler : IDisposable
{
    /// <summary>Time on threads after which a query is long: ten times what a look-up or a page of the newest takes.</summary>
    private static readonly TimeSpan LongAfter = TimeSpan.FromMilliseconds(30);

    /// <summary>Time a strand goes on before another may have the thread: long beside the change, short beside what a person notices.</summary>
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(2);

    /// <summary>Steps of the first strand before others join: what ends sooner is not worth a second thread, and would read blocks in vain.</summary>
    private const int StepsAlone = 4;

    private readonly int _cores;
    private readonly Lane _short;
    private readonly Lane _long;
    private volatile bool _disposed;

    /// <param name="cores">Threads for short queries, as many for long ones, and strands of a query.</param>
    public ScanScheduler(int cores)
    {
        _cores = cores;
        _short = new Lane(this, cores, "Apm.Storage scan", lowered: false);
        _long = new Lane(this, cores, "Apm.Storage long scan", lowered: true);
    }

    /// <summary>The process's: cores belong to it, however many stores it has. Never disposed.</summary>
    public static ScanScheduler Shared { get; } = new(Environment.ProcessorCount);

    /// <summary>Threads stop after the step they are in; queries that are not done fail.</summary>
    public void Dispose()
    {
        _disposed = true;
        _short.Stop();
        _long.Stop();
    }

    /// <summary>Runs strands until they have no more to do, then <paramref name="finish"/>, all on scan threads.</summary>
    /// <param name="create">Makes the first strand, and those that join it. They share the work among themselves.</param>
    /// <param name="maxStrands">1 for work that cannot be shared.</param>
    /// <param name="isLong">Known to take long: it does not begin among the short ones.</param>
    public Task<T> RunAsync<TStrand, T>(
        Func<TStrand> create, Func<IReadOnlyList<TStrand>, T> finish, CancellationToken cancellationToken, int maxStrands = int.MaxValue, bool isLong = false)
        where TStrand : ScanStrand
    {
        var job = new Job<TStrand, T>(this, create, finish, Math.Min(maxStrands, _cores), isLong, cancellationToken);
        job.Begin();
        return job.Task;
    }

    /// <summary>Threads of one priority and the strands that wait for them.</summary>
    private sealed class Lane
    {
        /// <summary>Guards the queue; its thread wakes the others.</summary>
        private readonly object _lock = new();
        private readonly PriorityQueue<Turn, (long Used, long Order)> _waiting = new();
        private readonly ScanScheduler _scheduler;
        private readonly bool _lowered;
        private long _order;
        private volatile int _count;
        private volatile bool _stopped;

        public Lane(ScanScheduler scheduler, int threads, string name, bool lowered)
        {
            _scheduler = scheduler;
            _lowered = lowered;
            for (var i = 1; i <= threads; i++)
            {
                new Thread(Run) { IsBackground = true, Name = $"{name} {i}" }.Start();
            }
        }

        public bool HasWaiting => _count > 0;

        public void Enqueue(Turn turn)
        {
            lock (_lock)
            {
                if (!_stopped)
                {
                    _waiting.Enqueue(turn, (turn.Job.Used, _order++));
                    _count = _waiting.Count;
                    Monitor.Pulse(_lock);
                    return;
                }
            }
            turn.Job.Fail(new ObjectDisposedException(nameof(ScanScheduler)));
            turn.Job.End();
        }

        public void Stop()
        {
            var left = new List<Turn>();
            lock (_lock)
            {
                _stopped = true;
                while (_waiting.TryDequeue(out var turn, out _))
                {
                    left.Add(turn);
                }
                _count = 0;
                Monitor.PulseAll(_lock);
            }
            foreach (var turn in left)
            {
                turn.Job.Fail(new ObjectDisposedException(nameof(ScanScheduler)));
                turn.Job.End();
            }
        }

        private void Run()
        {
            if (_lowered)
            {
                BackgroundThread.LowerCurrent();
            }
            while (TryTake(out var turn))
            {
                _scheduler.RunTurn(turn, this);
            }
        }

        private bool TryTake(out Turn turn)
        {
            lock (_lock)
            {
                while (true)
                {
                    if (_stopped)
                    {
                        turn = default;
                        return false;
                    }
                    if (_waiting.TryDequeue(out turn, out _))
                    {
                        _count = _waiting.Count;
                        return true;
                    }
                    Monitor.Wait(_lock);
                }
            }
        }
    }

    /// <summary>A strand's wish for a thread. Without a strand: one is to be made.</summary>
    private readonly record struct Turn(Job Job, ScanStrand? Strand);

    /// <summary>Goes on with a strand until its slice is over and another waits, or it moves to the other lane.</summary>
    private void RunTurn(Turn turn, Lane lane)
    {
        var job = turn.Job;
        try
        {
            var strand = turn.Strand ?? job.Create();
            var began = Stopwatch.GetTimestamp();
            while (!job.IsStopped && strand.Step())
            {
                ObjectDisposedException.ThrowIf(_disposed, this);
                job.CountStep();
                var now = Stopwatch.GetTimestamp();
                if (Stopwatch.GetElapsedTime(began, now) < Slice)
                {
                    continue;
                }
                job.Use(now - began);
                began = now;
                if (LaneOf(job) is var next && (next != lane || lane.HasWaiting))
                {
                    next.Enqueue(new Turn(job, strand));
                    return;
                }
            }
            job.Use(Stopwatch.GetTimestamp() - began);
        }
        catch (Exception exception)
        {
            job.Fail(exception);
        }
        job.End();
    }

    private Lane LaneOf(Job job) => job.Used >= LongAfter.TotalSeconds * Stopwatch.Frequency ? _long : _short;

    /// <summary>One query under way.</summary>
    private abstract class Job(ScanScheduler scheduler, int maxStrands, bool isLong)
    {
        private readonly Lock _lock = new();
        private int _running = 1;
        private int _strands = 1;
        private int _steps;
        private long _used = isLong ? (long)(LongAfter.TotalSeconds * Stopwatch.Frequency) : 0;

        /// <summary>Time on threads so far, in ticks of <see cref="Stopwatch"/>.</summary>
        public long Used => Volatile.Read(ref _used);

        public Exception? Failure { get; private set; }

        public bool IsStopped => Failure is not null;

        public void Begin() => scheduler.LaneOf(this).Enqueue(new Turn(this, null));

        public abstract ScanStrand Create();

        public void Use(long ticks) => Interlocked.Add(ref _used, ticks);

        /// <summary>The first steps are those of the first strand; then the others are called in.</summary>
        public void CountStep()
        {
            if (maxStrands == 1 || Volatile.Read(ref _strands) == maxStrands || ++_steps < StepsAlone)
            {
                return;
            }
            var joining = 0;
            lock (_lock)
            {
                joining = maxStrands - _strands;
                _strands += joining;
                _running += joining;
            }
            for (; joining > 0; joining--)
            {
                scheduler.LaneOf(this).Enqueue(new Turn(this, null));
            }
        }

        /// <summary>The first failure counts: the other strands stop after the step they are in.</summary>
        public void Fail(Exception exception)
        {
            lock (_lock)
            {
                Failure ??= exception;
            }
        }

        /// <summary>A strand is done; the last finishes the query.</summary>
        public void End()
        {
            lock (_lock)
            {
                if (--_running > 0)
                {
                    return;
                }
            }
            Finish();
        }

        protected abstract void Finish();
    }

    private sealed class Job<TStrand, T>(
        ScanScheduler scheduler, Func<TStrand> create, Func<IReadOnlyList<TStrand>, T> finish, int maxStrands, bool isLong, CancellationToken cancellationToken)
        : Job(scheduler, maxStrands, isLong)
        where TStrand : ScanStrand
    {
        private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly List<TStrand> _strands = [];

        public Task<T> Task => _done.Task;

        public override ScanStrand Create()
        {
            cancellationToken.ThrowIfCancellationRequested();
            var strand = create();
            lock (_strands)
            {
                _strands.Add(strand);
            }
            return strand;
        }

        protected override void Finish()
        {
            try
            {
                if (Failure is null)
                {
                    _done.SetResult(finish(_strands));
                    return;
                }
            }
            catch (Exception exception)
            {
                Fail(exception);
            }
            if (Failure is OperationCanceledException && cancellationToken.IsCancellationRequested)
            {
                _done.SetCanceled(cancellationToken);
            }
            else
            {
                _done.SetException(Failure!);
            }
        }
    }
}
