namespace Apm.Storage.Embedded.Retention;

/// <summary>
/// The time by which rows grow old. A clock that is set forward would drop everything at once: a jump is believed only when it has lasted. Set back, it is
/// believed at once, as that drops less. One thread observes; any reads.
/// </summary>
internal sealed class RetentionClock
{
    /// <summary>How long a jump must last. Ten minutes: time synchronisation after a start has corrected a wrong clock by then.</summary>
    public static readonly TimeSpan Settling = TimeSpan.FromMinutes(10);

    /// <summary>Less is drift or a small correction.</summary>
    private static readonly TimeSpan s_maxDrift = TimeSpan.FromMinutes(1);

    /// <summary>How far the clock may be from what is believed while it is written down: more than a restart takes, and than drifts.</summary>
    private static readonly TimeSpan s_maxDoubt = TimeSpan.FromHours(1);

    private readonly TimeProvider _time;
    private readonly long _start;

    /// <summary>What is to be added to the measured time since the start: believed, and where the clock says something else for now, that.</summary>
    private DateTimeOffset _origin;
    private DateTimeOffset _jumped;
    private TimeSpan _jumpedAt;
    private long _nowUnixNano;
    private long _latestUnixNano;

    /// <param name="lastKnown">When something was last seen to happen, by the clock of then; null: not known. A clock that is far beyond it at the start has jumped, too.</param>
    public RetentionClock(TimeProvider time, DateTimeOffset? lastKnown)
    {
        _time = time;
        _start = time.GetTimestamp();
        var now = time.GetUtcNow();
        _origin = lastKnown is { } known && known < now ? known : now;
        _jumped = _origin;
        _latestUnixNano = UnixNanoOf(lastKnown ?? now);
        Observe();
    }

    /// <summary>Nanoseconds since the Unix epoch, at the last <see cref="Observe"/>.</summary>
    public long NowUnixNano => Volatile.Read(ref _nowUnixNano);

    /// <summary>
    /// What the clock says, in seconds since the Unix epoch, to be remembered beyond a restart; 0 when it is not to be believed: it is ahead of what is believed, and a
    /// restart would then believe it at once, or it is behind what it said before, and what happened now would look old when it is right again.
    /// </summary>
    public long ToBeRememberedUnixSeconds()
    {
        var now = _time.GetUtcNow();
        var nano = UnixNanoOf(now);
        var doubt = UnixNanoOf(DateTimeOffset.UnixEpoch + s_maxDoubt);
        return nano - NowUnixNano <= doubt && Volatile.Read(ref _latestUnixNano) - nano <= doubt ? now.ToUnixTimeSeconds() : 0;
    }

    public void Observe()
    {
        var elapsed = _time.GetElapsedTime(_start);
        var origin = _time.GetUtcNow() - elapsed;
        if (origin - _origin <= s_maxDrift)
        {
            (_origin, _jumped) = (origin, origin);
        }
        else if ((origin - _jumped).Duration() > s_maxDrift)
        {
            (_jumped, _jumpedAt) = (origin, elapsed);
        }
        else if (elapsed - _jumpedAt >= Settling)
        {
            (_origin, _jumped) = (origin, origin);
        }
        var now = UnixNanoOf(_origin + elapsed);
        Volatile.Write(ref _nowUnixNano, now);
        Volatile.Write(ref _latestUnixNano, Math.Max(_latestUnixNano, now));
    }

    private static long UnixNanoOf(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;
}
