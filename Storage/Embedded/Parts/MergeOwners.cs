using Apm.Storage.Columns;

namespace Apm.Storage.Embedded.Parts;

/// <summary>The resources and scopes of all inputs, each once, and which of them the inputs' own numbers mean.</summary>
internal sealed class MergeOwners
{
    /// <summary>Of a resource or scope that no row of the output has.</summary>
    private const int Absent = -1;

    private readonly MergeInput[] _inputs;
    private readonly BatchCopier[] _copiers;

    public MergeOwners(MergeInput[] inputs, MergeFilter filter)
    {
        _inputs = inputs;
        Joined = new ColumnBatch(inputs[0].Signal);
        _copiers = [.. inputs.Select(input => new BatchCopier(input.Owners, Joined, input.Owners.ResourceAttributes.OwnerCount))];
        Resources = new int[inputs.Length][];
        Scopes = new int[inputs.Length][];
        for (var input = 0; input < inputs.Length; input++)
        {
            Resources[input] = Map(inputs[input].Owners.ResourceAttributes.OwnerCount, resource => filter.Keeps(input, resource), _copiers[input].CopyResource);
            Scopes[input] = [];
        }
    }

    /// <summary>Without rows. Scopes are there once <see cref="JoinScopes"/> was called.</summary>
    public ColumnBatch Joined { get; }

    /// <summary>Per input, per resource of it.</summary>
    public int[][] Resources { get; }

    /// <summary>Per input, per scope of it.</summary>
    public int[][] Scopes { get; }

    public int ResourceCount => Joined.ResourceAttributes.OwnerCount;

    /// <summary>Those that a row of the plan has.</summary>
    public void JoinScopes(MergePlan plan)
    {
        var used = _inputs.Select(input => new bool[input.Owners.ScopeAttributes.OwnerCount]).ToArray();
        if (plan.RejectedRows == 0)
        {
            Array.ForEach(used, static scopes => Array.Fill(scopes, true));
        }
        else
        {
            FindUsedScopes(plan, used);
        }
        for (var input = 0; input < _inputs.Length; input++)
        {
            Scopes[input] = Map(used[input].Length, scope => used[input][scope], _copiers[input].CopyScope);
        }
    }

    private static int[] Map(int count, Func<int, bool> isUsed, Func<int, int> copy)
    {
        var map = new int[count];
        for (var i = 0; i < count; i++)
        {
            map[i] = isUsed(i) ? copy(i) : Absent;
        }
        return map;
    }

    private void FindUsedScopes(MergePlan plan, bool[][] used)
    {
        var window = new MergeWindow<int>(_inputs.Length, (int input, int block, ref int[] values) =>
        {
            _inputs[input].ReadInts(_inputs[input].Directory.Plain(PlainColumn.Scope, block), MergeInput.Room(ref values, _inputs[input].RowsOf(block)));
            return _inputs[input].RowsOf(block);
        });
        for (var block = 0; block < plan.Blocks.Blocks; block++)
        {
            foreach (var segment in plan.SegmentsOf(block))
            {
                var scopes = used[segment.Input];
                foreach (var scope in window.Get(segment.Input, segment.Block)[segment.Row..segment.End])
                {
                    if ((uint)scope >= (uint)scopes.Length)
                    {
                        throw _inputs[segment.Input].Corrupt(_inputs[segment.Input].Directory.Plain(PlainColumn.Scope, segment.Block), $"scope {scope} of {scopes.Length} is unknown");
                    }
                    scopes[scope] = true;
                }
            }
        }
    }
}
