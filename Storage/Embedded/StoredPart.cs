using Apm.Storage.Embedded.Parts;

namespace Apm.Storage.Embedded;

/// <summary>
/// A part that the store has open, counted by the sets that hold it. What is no longer in the list lives on while a query reads it; the last one that lets
/// go says so. Any number of threads.
/// </summary>
/// <param name="onUnused">Called once, by whoever lets go last: must not block.</param>
internal sealed class StoredPart(ManifestPart entry, PartSource source, Action<StoredPart> onUnused)
{
    private int _holders;

    public ManifestPart Entry { get; } = entry;

    public PartSource Source { get; } = source;

    public void Hold() => Interlocked.Increment(ref _holders);

    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            onUnused(this);
        }
    }
}
