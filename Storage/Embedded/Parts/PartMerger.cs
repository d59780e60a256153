using Apm.Telemetry;
using Apm.Telemetry.Files;

namespace Apm.Storage.Embedded.Parts;

/// <summary>
/// Joins parts of one signal into one, column by column: traces split over them become one run, resources, scopes, dictionaries and shapes are joined, ids and
/// text copied, text packed tighter. The inputs stay as they are; the caller holds them open meanwhile.
/// </summary>
internal static class PartMerger
{
    /// <summary>Inputs of one merge, for what is held of each.</summary>
    public const int MaxInputs = 64;

    /// <summary>Brotli quality of text, measured in docs/adr/0004-text-of-merged-parts.md.</summary>
    private const int TextQuality = 2;

    /// <summary>Writes the joined part; the caller syncs it, or deletes the file when this throws.</summary>
    /// <param name="inputs">1 to <see cref="MaxInputs"/>, all of one signal. Of rows that are equal in order, and of spans stored twice, those of the input named first come first.</param>
    /// <param name="keepResource">False for resources of an input whose rows are left out; null keeps all.</param>
    /// <param name="level">Of the output, at least 1.</param>
    /// <param name="blockRows">Most rows of a block of the output.</param>
    /// <returns>What was done. With no row left, nothing is written.</returns>
    /// <exception cref="CorruptPartException">An input is damaged; the exception names it.</exception>
    /// <exception cref="IOException">The disk failed, or is full.</exception>
    public static MergeResult Merge(
        IReadOnlyList<PartSource> inputs, Func<PartSource, int, bool>? keepResource, IFile output, int level, CancellationToken cancellation, int blockRows = PartFormat.BlockRows)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(inputs.Count, nameof(inputs));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(inputs.Count, MaxInputs, nameof(inputs));
        ArgumentOutOfRangeException.ThrowIfLessThan(level, 1);
        if (inputs.Any(input => input.Signal != inputs[0].Signal))
        {
            throw new ArgumentException("parts of two signals cannot be merged", nameof(inputs));
        }
        var rows = inputs.Sum(input => input.RowCount);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows, int.MaxValue, nameof(inputs));
        MergeInput[] parts = [.. inputs.Select(input => new MergeInput(input))];
        var filter = new MergeFilter(parts, keepResource);
        var owners = new MergeOwners(parts, filter);
        var plan = parts[0].Signal == Signal.Traces
            ? MergeTraces.Plan(parts, filter, blockRows, cancellation)
            : MergeRecords.Plan(parts, filter, owners.Resources, owners.ResourceCount, blockRows, cancellation);
        if (plan.Rows == 0)
        {
            return new MergeResult(0, 0, plan.DuplicateRows, plan.RejectedRows);
        }
        owners.JoinScopes(plan);
        var bytes = PartWriter.Write(output, new MergeContent(parts, plan, owners, cancellation), TextQuality);
        return new MergeResult(plan.Rows, bytes, plan.DuplicateRows, plan.RejectedRows);
    }
}

/// <param name="Rows">Written.</param>
/// <param name="Bytes">Of the part written.</param>
/// <param name="DuplicateRows">Left out because a trace that was put together had the span twice.</param>
/// <param name="RejectedRows">Left out because of their resource.</param>
internal readonly record struct MergeResult(long Rows, long Bytes, long DuplicateRows, long RejectedRows);
