using System.Collections.Immutable;

namespace Apm.Shop;

/// <summary>The faults switched on now, as one service knows them: the control process sends the set when it changes.</summary>
internal sealed class FaultSwitches
{
    private ImmutableHashSet<string> _on = [];

    public bool IsOn(string fault) => Volatile.Read(ref _on).Contains(fault);

    public void Set(IEnumerable<string> on) => Volatile.Write(ref _on, [.. on]);
}

/// <summary>What the control process tells every service when a fault is switched or a role moved.</summary>
/// <param name="On">Faults switched on.</param>
/// <param name="Ports">Where each role listens now: a rollout starts the new version beside the old one and then moves the callers.</param>
internal sealed record Settings(string[] On, Dictionary<string, int> Ports);
