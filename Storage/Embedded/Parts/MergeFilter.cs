namespace Apm.Storage.Embedded.Parts;

/// <summary>Leaves out the rows of resources that are not kept, while a plan is made. One thread.</summary>
internal sealed class MergeFilter
{
    private readonly MergeInput[] _inputs;
    private readonly bool[]?[] _keep;
    private readonly MergeWindow<int> _resources;

    /// <param name="keepResource">Null keeps all.</param>
    public MergeFilter(MergeInput[] inputs, Func<PartSource, int, bool>? keepResource)
    {
        _inputs = inputs;
        _keep = new bool[]?[inputs.Length];
        _resources = new MergeWindow<int>(inputs.Length, ReadResources);
        for (var input = 0; input < inputs.Length; input++)
        {
            var keep = new bool[inputs[input].Owners.ResourceAttributes.OwnerCount];
            for (var resource = 0; resource < keep.Length; resource++)
            {
                keep[resource] = keepResource is null || keepResource(inputs[input].Source, resource);
            }
            _keep[input] = keep.AsSpan().Contains(false) ? keep : null;
        }
    }

    public bool Keeps(int input, int resource) => _keep[input] is not { } keep || keep[resource];

    /// <summary>False when every row of the block is kept.</summary>
    public bool MayReject(int input, int block)
    {
        if (_keep[input] is not { } keep)
        {
            return false;
        }
        var mask = _inputs[input].Directory.Mask(PlainColumn.Resource, block);
        for (var resource = 0; resource < keep.Length; resource++)
        {
            if (!keep[resource] && (mask & (1UL << (resource & 63))) != 0)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Adds the rows that are kept to the plan.</summary>
    public void Add(MergePlan.Builder plan, int input, int block, int row, int rows)
    {
        if (!MayReject(input, block))
        {
            plan.Add(input, block, row, rows);
            return;
        }
        var resources = _resources.Get(input, block);
        var keep = _keep[input]!;
        for (var end = row + rows; row < end;)
        {
            var kept = keep[resources[row]];
            var next = row + 1;
            while (next < end && keep[resources[next]] == kept)
            {
                next++;
            }
            if (kept)
            {
                plan.Add(input, block, row, next - row);
            }
            else
            {
                plan.RejectedRows += next - row;
            }
            row = next;
        }
    }

    private int ReadResources(int input, int block, ref int[] values)
    {
        var part = _inputs[input];
        var chunk = part.Directory.Plain(PlainColumn.Resource, block);
        var resources = MergeInput.Room(ref values, part.RowsOf(block));
        part.ReadInts(chunk, resources);
        foreach (var resource in resources)
        {
            if ((uint)resource >= (uint)part.Owners.ResourceAttributes.OwnerCount)
            {
                throw part.Corrupt(chunk, $"resource {resource} of {part.Owners.ResourceAttributes.OwnerCount} is unknown");
            }
        }
        return resources.Length;
    }
}
