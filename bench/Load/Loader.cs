using System.Diagnostics;

namespace Apm.Bench;

/// <summary>How a load is sent.</summary>
/// <param name="Connect">A connection for each sending thread.</param>
/// <param name="ItemsPerSecond">A fixed rate; 0: as fast as answers come.</param>
/// <param name="Warmup">Sent and counted back, but reported apart.</param>
/// <param name="Items">Items after the warm-up; 0: until the time is over.</param>
/// <param name="Duration">Time after the warm-up.</param>
/// <param name="MayBreak">A broken connection is opened again, until none can be, and its request's items count as unknown; else it fails the run.</param>
internal sealed record LoadPlan(Func<int, IConnection> Connect, int Connections, double ItemsPerSecond, TimeSpan Warmup, long Items, TimeSpan Duration, bool MayBreak = false)
{
    /// <summary>Longest wait after a refusal, whatever the server advises: a bench does not sit out minutes.</summary>
    public TimeSpan LongestWait { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>
/// Keeps one request in flight on each of N connections, warm-up and measured time in one go. A refused request is sent again after the delay that the server
/// asked for, as a sender would.
/// </summary>
internal sealed class Loader(BodyPool pool, LoadPlan plan)
{
    /// <summary>Traces remembered, to be fetched afterwards.</summary>
    private const int MaxSamples = 2_000;

    private readonly Lock _lock = new();
    private readonly Stopwatch _watch = new();
    private readonly List<double> _latencies = [];
    private readonly SortedDictionary<string, long> _answers = new(StringComparer.Ordinal);
    private readonly List<TraceSample> _samples = [];
    private SeededRandom _random = new(11);
    private long _acknowledged;
    private long _acknowledgedBytes;
    private long _unknown;
    private long _sampled;
    private long _started;
    private long _measuredFrom = long.MaxValue;
    private long _stopAt = long.MaxValue;
    private volatile bool _stopping;
    private Exception? _failure;

    /// <summary>Items acknowledged so far, those of the warm-up too.</summary>
    public long Acknowledged => Interlocked.Read(ref _acknowledged);

    /// <summary>Wire bytes of them.</summary>
    public long AcknowledgedBytes => Interlocked.Read(ref _acknowledgedBytes);

    /// <summary>Items of requests whose connection broke before their answer: stored or not.</summary>
    public long Unknown => Interlocked.Read(ref _unknown);

    /// <summary>Milliseconds from when a request was due to its whole answer, after the warm-up, sorted.</summary>
    public double[] Latencies { get; private set; } = [];

    /// <summary>Answers after the warm-up by status.</summary>
    public IReadOnlyDictionary<string, long> Answers => _answers;

    /// <summary>Some of the traces acknowledged, with the number of their items.</summary>
    public IReadOnlyList<TraceSample> Samples => _samples;

    /// <summary>A recent trace that is stored, once there is one.</summary>
    public TraceSample? Recent
    {
        get
        {
            lock (_lock)
            {
                return _samples.Count == 0 ? null : _samples[_random.Below(_samples.Count)];
            }
        }
    }

    /// <param name="warm">Called when the warm-up is over.</param>
    public void Run(Action warm)
    {
        _watch.Start();
        var threads = Enumerable.Range(0, plan.Connections).Select(i => new Thread(() => Send(i)) { IsBackground = true, Name = "loader" }).ToList();
        threads.ForEach(thread => thread.Start());
        SleepUntil(plan.Warmup, threads);
        warm();
        lock (_lock)
        {
            _measuredFrom = _watch.ElapsedTicks;
            _stopAt = plan.Items > 0 ? _acknowledged + plan.Items : long.MaxValue;
        }
        if (plan.Items > 0)
        {
            threads.ForEach(thread => thread.Join());
        }
        else
        {
            SleepUntil(_watch.Elapsed + plan.Duration, threads);
        }
        _stopping = true;
        threads.ForEach(thread => thread.Join());
        Latencies = [.. _latencies];
        Array.Sort(Latencies);
        if (_failure is not null)
        {
            throw new InvalidOperationException("a connection failed", _failure);
        }
    }

    private void SleepUntil(TimeSpan time, List<Thread> threads)
    {
        while (_watch.Elapsed < time && threads.Exists(thread => thread.IsAlive))
        {
            Thread.Sleep(TimeSpan.FromMilliseconds(Math.Clamp((time - _watch.Elapsed).TotalMilliseconds, 0, 20)));
        }
    }

    private void Send(int number)
    {
        using var connection = plan.Connect(number);
        try
        {
            while (!_stopping && pool.Take() is { } request)
            {
                try
                {
                    var due = WaitUntilDue(request.Items);
                    while (!TrySend(connection, request, due) && !_stopping)
                    {
                    }
                }
                catch (IOException e) when (plan.MayBreak && e is not ConnectException)
                {
                    Interlocked.Add(ref _unknown, request.Items);
                }
                finally
                {
                    pool.Return(request);
                }
            }
        }
        catch (ConnectException) when (plan.MayBreak)
        {
            // The server is gone; what it had acknowledged is known.
        }
        catch (Exception e)
        {
            _failure = e;
            _stopping = true;
        }
    }

    /// <summary>The timestamp from which the request's latency counts: when it was due, if every connection was busy then.</summary>
    private long WaitUntilDue(int items)
    {
        if (plan.ItemsPerSecond <= 0)
        {
            return _watch.ElapsedTicks;
        }
        var before = Interlocked.Add(ref _started, items) - items;
        var due = (long)(before / plan.ItemsPerSecond * Stopwatch.Frequency);
        if (due <= _watch.ElapsedTicks)
        {
            return due;
        }
        while (_watch.ElapsedTicks < due && !_stopping)
        {
            Thread.Sleep(1);
        }
        return _watch.ElapsedTicks;
    }

    private bool TrySend(IConnection connection, BodyPool.Request request, long due)
    {
        var answer = connection.Send(pool.Signal, request.Body, pool.IsCompressed);
        var now = _watch.ElapsedTicks;
        lock (_lock)
        {
            if (now >= _measuredFrom)
            {
                _latencies.Add((now - due) * 1e3 / Stopwatch.Frequency);
                var name = $"{answer.Kind.ToString().ToLowerInvariant()} {answer.Status}{(answer.Kind == AnswerKind.Refused ? " with a delay" : "")}";
                _answers[name] = _answers.GetValueOrDefault(name) + 1;
            }
            if (answer.Kind == AnswerKind.Accepted)
            {
                _acknowledged += request.Items;
                _acknowledgedBytes += request.Body.Length;
                SampleLocked(request);
                if (_acknowledged >= _stopAt)
                {
                    _stopping = true;
                }
                return true;
            }
        }
        if (answer.Kind == AnswerKind.Failed)
        {
            throw new InvalidOperationException($"answered {answer.Status}");
        }
        Thread.Sleep(answer.RetryAfter < plan.LongestWait ? answer.RetryAfter.Value : plan.LongestWait);
        return false;
    }

    /// <summary>A sample in which every acknowledged request has the same chance.</summary>
    private void SampleLocked(in BodyPool.Request request)
    {
        if (request.Source?.Sample((int)(_random.Next() & int.MaxValue)) is not { } trace)
        {
            return;
        }
        _sampled++;
        if (_samples.Count < MaxSamples)
        {
            _samples.Add(trace);
        }
        else if (_random.Share() < (double)MaxSamples / _sampled)
        {
            _samples[_random.Below(MaxSamples)] = trace;
        }
    }
}
