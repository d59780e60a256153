namespace Apm.Storage;

/// <summary>Gives the state of the store in this process to whoever shows it; a host that has no such store registers none. Any thread.</summary>
public sealed class StoreMonitor
{
    private readonly Func<StoreStatus> _read;

    internal StoreMonitor(Func<StoreStatus> read) => _read = read;

    /// <summary>Computed on each call from what is in memory, in time proportional to the parts.</summary>
    public StoreStatus Status => _read();
}
