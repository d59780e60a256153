namespace Apm.Storage.Embedded.Parts;

/// <summary>
/// The blocks of a merged part that are, row for row, a block of an input: what in them means the same in both parts is copied as it is stored. Numbers of
/// owners, shapes and dictionary values do not.
/// </summary>
internal sealed class MergeWholeBlocks
{
    private readonly MergeInput[] _inputs;
    private readonly MergePlan _plan;
    /// <summary>Per input: columns that are raw in one of the two parts only, so that the bloom of a block that has one is another.</summary>
    private readonly List<ValueColumn>[] _changed;

    public MergeWholeBlocks(MergeInput[] inputs, MergePlan plan, IReadOnlyList<ContentColumn> columns)
    {
        _inputs = inputs;
        _plan = plan;
        _changed = new List<ValueColumn>[inputs.Length];
        for (var input = 0; input < inputs.Length; input++)
        {
            _changed[input] = [];
            foreach (var column in columns.OfType<MergeValueColumn>())
            {
                column.WholeBlocks = this;
                if (column.SourceOf(input) is { } source && source.IsDictionary != column.IsDictionary)
                {
                    _changed[input].Add(source);
                }
            }
        }
    }

    public MergeInput InputOf(in MergeSegment segment) => _inputs[segment.Input];

    /// <summary>The input's block that a block of the output is; false when it is not one.</summary>
    public bool TryGet(int block, out MergeSegment whole)
    {
        var segments = _plan.SegmentsOf(block);
        whole = segments[0];
        return segments.Length == 1 && whole.Rows == _inputs[whole.Input].RowsOf(whole.Block);
    }

    /// <summary>As <see cref="TryGet"/>, and the raw columns of both blocks are the same, so that their chunks, filters and the bloom are.</summary>
    public bool TryGetWithText(int block, out MergeSegment whole)
    {
        // Filters of older versions are made anew from the values, as are ranges, which version 1 has not.
        if (!TryGet(block, out whole) || _inputs[whole.Input].Source.File.Version < PartFormat.Version)
        {
            return false;
        }
        foreach (var column in _changed[whole.Input])
        {
            if (column.InBlock(whole.Block) is not null)
            {
                return false;
            }
        }
        return true;
    }
}
