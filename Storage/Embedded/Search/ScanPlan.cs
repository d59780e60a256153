using Apm.Storage.Embedded.Parts;

namespace Apm.Storage.Embedded.Search;

/// <summary>Notes what a scan does with each source, when it is asked to explain itself. Any number of threads.</summary>
internal sealed class ScanPlan
{
    private readonly Lock _lock = new();
    private readonly Dictionary<RowSource, Notes> _notes = new(ReferenceEqualityComparer.Instance);

    private sealed class Notes
    {
        public HashSet<int> BlocksRead { get; } = [];
        public Dictionary<int, string> BlocksSkipped { get; } = [];
        public string? Skipped { get; set; }
        public bool UsesRollup { get; set; }
        public long Rows { get; set; }
        public long Bytes { get; set; }
        public TimeSpan Elapsed { get; set; }
    }

    public void Read(RowSource source, int block, long rows, long bytes, TimeSpan elapsed)
    {
        lock (_lock)
        {
            var notes = NotesOf(source);
            notes.BlocksRead.Add(block);
            notes.Rows += rows;
            notes.Bytes += bytes;
            notes.Elapsed += elapsed;
        }
    }

    /// <param name="by">As in <see cref="SourcePlan"/>.</param>
    public void Skip(RowSource source, int block, string by)
    {
        lock (_lock)
        {
            NotesOf(source).BlocksSkipped[block] = by;
        }
    }

    /// <summary>Whatever of the source was not looked at was not for this reason.</summary>
    public void Skip(RowSource source, string by)
    {
        lock (_lock)
        {
            NotesOf(source).Skipped = by;
        }
    }

    /// <param name="otherwise">Why blocks were not looked at of which nothing else is known.</param>
    public List<SourcePlan> ToPlans(IReadOnlyList<RowSource> sources, string otherwise)
    {
        lock (_lock)
        {
            return [.. sources.Select(source => PlanOf(source, NotesOf(source), otherwise))];
        }
    }

    public void UseRollup(RowSource source)
    {
        lock (_lock)
        {
            NotesOf(source).UsesRollup = true;
        }
    }

    /// <summary>A source of which what was added up before was read.</summary>
    public static SourcePlan OfRollup(RowSource source) => PlanOf(source, new Notes { UsesRollup = true }, "");

    private Notes NotesOf(RowSource source)
    {
        if (!_notes.TryGetValue(source, out var notes))
        {
            notes = new Notes();
            _notes.Add(source, notes);
        }
        return notes;
    }

    private static SourcePlan PlanOf(RowSource source, Notes notes, string otherwise)
    {
        var skipped = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var block = 0; block < source.BlockCount; block++)
        {
            if (!notes.BlocksRead.Contains(block) && !notes.UsesRollup)
            {
                var by = notes.BlocksSkipped.GetValueOrDefault(block) ?? notes.Skipped ?? otherwise;
                skipped[by] = skipped.GetValueOrDefault(by) + 1;
            }
        }
        var part = source as PartSource;
        return new SourcePlan(
            1, part is null ? null : Path.GetFileNameWithoutExtension(part.File.Path), part?.Entry?.Level ?? 0, source.RowCount,
            part?.File.SizeBytes ?? (source as HeadSource)?.Batch.SizeBytes ?? 0, notes.UsesRollup ? "rollup" : notes.BlocksRead.Count > 0 ? "rows" : "nothing",
            notes.BlocksRead.Count, skipped, notes.Rows, notes.Bytes, notes.Elapsed);
    }
}
