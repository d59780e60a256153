using System.Runtime.CompilerServices;
using Apm.Storage.Columns;
using Apm.Storage.Embedded.Parts;
using Apm.Telemetry;
using Apm.Telemetry.Files;
using Microsoft.Extensions.Logging;

namespace Apm.Storage.Embedded.Rollups;

/// <summary>
/// The rollup files beside the parts of a folder: written when a part is sealed or merged, opened with it, written again when one is missing or damaged. None of
/// that ever fails a seal, a merge or a start, as rows answer in a rollup's place. Used by the thread that seals, but for <see cref="Merge"/>; <see cref="Ledger"/> as it says.
/// </summary>
internal sealed partial class PartRollups(IFileSystem files, string folder, ChunkCache cache, ILogger logger)
{
    /// <summary>Parts whose rollup cannot be made: tried again at the next start.</summary>
    private readonly ConditionalWeakTable<PartSource, object> _givenUp = [];

    public TraceLedger Ledger { get; } = new();

    /// <summary>Opens the rollup of a part that is there at the start.</summary>
    public void Open(PartSource part)
    {
        if (part.Signal != Signal.Traces || part.Entry is not { } entry || !files.FileExists(PathOf(entry)))
        {
            return;
        }
        try
        {
            part.SetRollup(RollupFile.Open(files, PathOf(entry), cache));
        }
        catch (IOException failure)
        {
            LogDamaged(entry.RollupFileName, failure);
        }
    }

    /// <summary>Makes and writes the rollup of a part, its edges on top of those of <paramref name="earlier"/>.</summary>
    public void Build(PartSource part, IReadOnlyList<RowSource> earlier)
    {
        if (part.Signal == Signal.Traces)
        {
            Write(part, () => Ledger.Build(part, earlier));
        }
    }

    /// <summary>
    /// Writes the sum of the rollups of merged parts as that of the part they were merged into; when one of them has none, it is made from rows later. Any thread,
    /// one at a time for a part.
    /// </summary>
    /// <param name="anyDuplicates">Spans that were there twice are in the part once: they are counted from its rows. Edges counted them once already.</param>
    public void Merge(PartSource part, IReadOnlyList<PartSource> inputs, bool anyDuplicates)
    {
        RollupSource?[] rollups = [.. inputs.Select(input => input.Rollup)];
        if (part.Signal == Signal.Traces && Array.TrueForAll(rollups, rollup => rollup is not null))
        {
            Write(part, () => new RollupMerge(anyDuplicates ? [RollupBuilder.Build(part)] : [.. rollups!], [.. rollups!]));
        }
    }

    /// <summary>Makes one rollup that is missing, its edges on top of those of the parts that were sealed before; false when none is missing.</summary>
    /// <param name="parts">Of spans, all that the store has.</param>
    public bool RebuildOne(IReadOnlyList<PartSource> parts)
    {
        // A merged part is listed, and numbered, after parts that were sealed later than its rows and count on top of them. In the second in which its last input was
        // sealed it comes first.
        PartSource[] sealedInOrder = [.. parts.OrderBy(static part => part.Entry!.SealedUnixSeconds).ThenByDescending(static part => part.Entry!.Level).ThenBy(static part => part.Entry!.Id)];
        var missing = Array.FindIndex(sealedInOrder, part => part.Rollup is null && !_givenUp.TryGetValue(part, out _));
        if (missing < 0)
        {
            return false;
        }
        Build(sealedInOrder[missing], [.. sealedInOrder[..missing].Where(static part => part.Rollup is not null)]);
        return true;
    }

    private void Write(PartSource part, Func<RollupSource> make)
    {
        var entry = part.Entry!;
        try
        {
            var rollup = make();
            files.Delete(PathOf(entry));
            using (var file = files.Create(PathOf(entry)))
            {
                // Not synced: what a crash tears does not open, and is made again.
                RollupFileWriter.Write(file, rollup);
            }
            part.SetRollup(RollupFile.Open(files, PathOf(entry), cache));
        }
        catch (IOException failure)
        {
            _givenUp.AddOrUpdate(part, part);
            LogNotWritten(entry.RollupFileName, failure);
        }
    }

    private string PathOf(ManifestPart entry) => folder + "/" + entry.RollupFileName;

    [LoggerMessage(Level = LogLevel.Warning, Message = "{File} cannot be read; it is made again from its part, whose rows answer meanwhile.")]
    private partial void LogDamaged(string file, IOException failure);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{File} could not be made; the rows of its part answer in its place.")]
    private partial void LogNotWritten(string file, IOException failure);
}
