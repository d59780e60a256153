using Microsoft.Extensions.Logging;

namespace Apm.TestKit;

/// <summary>Keeps every line logged, as "Level: message", and lets a test wait for one.</summary>
public sealed class RecordingLogger<T> : ILogger<T>
{
    private readonly Lock _gate = new();
    private readonly List<string> _lines = [];
    private readonly List<(string Part, TaskCompletionSource Seen)> _waits = [];

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_gate)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>Completes when a line with the part was or is logged.</summary>
    public Task WaitForAsync(string part, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_lines.Exists(line => line.Contains(part, StringComparison.Ordinal)))
            {
                return Task.CompletedTask;
            }
            var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waits.Add((part, seen));
            return seen.Task.WaitAsync(cancellationToken);
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var line = $"{logLevel}: {formatter(state, exception)}";
        lock (_gate)
        {
            _lines.Add(line);
            foreach (var (_, seen) in _waits.Where(wait => line.Contains(wait.Part, StringComparison.Ordinal)))
            {
                seen.TrySetResult();
            }
        }
    }
}
