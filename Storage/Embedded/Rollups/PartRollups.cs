using System.Runtime.CompilerServices;
using Apm.Storage.Columns;
using Apm.Storage.Embedded.Parts;
using Apm.Telemetry;
using Apm.Telemetry.Files;
using Microsoft.Extensions.Logging;

namespace Apm.Storage.Embedded.Rollups;

/// <summary>
/// The rollup files beside the parts of a folder: written when a part is sealed or merged, opened with it, written again when one is missing or damaged. None of
/// that ever fails a seal or a start, as rows answer in a rollup's place. Used by the thread that seals; <see cref="Ledger"/> as it says.
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

    /// <summary>Writes the sum of the rollups of merged parts as that of the part they were merged into; when one of them has none, it is made from rows later.</summary>
    /// <param name="keep">As in <see cref="Rollup.Merge"/>.</param>
    public void Merge(PartSource part, IReadOnlyList<PartSource> inputs, Func<ColumnBatch, int, bool>? keep)
    {
        RollupSource?[] rollups = [.. inputs.Select(input => input.Rollup)];
        if (part.Signal == Signal.Traces && Array.TrueForAll(rollups, rollup => rollup is not null))
        {
            Write(part, () => Rollup.Merge(rollups!, keep));
        }
    }

    /// <summary>Makes one rollup that is missing, of the parts in the order of their seal; false when none is.</summary>
    public bool RebuildOne(IReadOnlyList<PartSource> parts)
    {
        var missing = parts.FirstOrDefault(part => part.Signal == Signal.Traces && part.Rollup is null && !_givenUp.TryGetValue(part, out _));
        if (missing is null)
        {
            return false;
        }
        Build(missing, [.. parts.TakeWhile(part => part != missing).Where(part => part.Rollup is not null)]);
        return true;
    }

    private void Write(PartSource part, Func<Rollup> make)
    {
        var entry = part.Entry!;
        try
        {
            var rollup = make();
            files.Delete(PathOf(entry));
            using (var file = files.Create(PathOf(entry)))
            {
                // Not synced: what a crash tears does not open, and is made again.
                RollupFile.Write(file, rollup);
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

    [LoggerMessage(Level = LogLevel.Warning, Message = "{File} is damaged; it is made again from its part, whose rows answer meanwhile.")]
    private partial void LogDamaged(string file, IOException failure);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{File} could not be made; the rows of its part answer in its place.")]
    private partial void LogNotWritten(string file, IOException failure);
}
