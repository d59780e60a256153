using Apm.Telemetry;

namespace Apm.Storage.Embedded.Merging;

/// <summary>What the policy knows of a part.</summary>
/// <param name="Day">UTC day of its last row, in days since the Unix epoch. Only parts of one day are joined, so that retention drops whole files.</param>
internal readonly record struct MergeCandidate(long Id, Signal Signal, int Level, long Bytes, int Day);

/// <summary>Parts to be written as one.</summary>
/// <param name="Level">Of the part that takes their place.</param>
internal sealed record MergeChoice(IReadOnlyList<MergeCandidate> Inputs, int Level)
{
    public long Bytes => Inputs.Sum(static part => part.Bytes);
}
