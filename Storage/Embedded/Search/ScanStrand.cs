namespace Apm.Storage.Embedded.Search;

/// <summary>
/// A part of a query's work that one thread does at a time. It is done in steps, between which the thread may turn to another query: so a step is about a
/// block's worth, and what a strand keeps between steps is in its fields.
/// </summary>
internal abstract class ScanStrand
{
    /// <summary>Goes on; false when nothing is left for this strand.</summary>
    public abstract bool Step();
}

/// <summary>Work that is too small, or too entangled, to be done in steps.</summary>
internal sealed class SingleStep<T>(Func<T> run) : ScanStrand
{
    private T? _result;

    public T Result => _result!;

    public override bool Step()
    {
        _result = run();
        return false;
    }
}
