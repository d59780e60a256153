using Apm.Storage.Columns;
using Apm.Telemetry.Attributes;

namespace Apm.Storage.Embedded.Rollups;

/// <summary>What the groups of a rollup's cells tell apart beside kind, status and root.</summary>
internal enum RollupView : byte
{
    /// <summary>Resource and name: what there is to know.</summary>
    Resource = 0,

    /// <summary>Service and name: what a table of operations reads, however many instances there are.</summary>
    Operation = 1,

    /// <summary>Resource: versions, environments, instances.</summary>
    Instance = 2,

    /// <summary>Service: what lists of services read.</summary>
    Service = 3,
}

/// <summary>
/// The views of a rollup that are worth their cells: those that at least halve the groups of the one they are made from. They follow from the groups alone, so
/// reader and writer need not tell each other. A group of a service stands with one of the service's resources. Immutable; any number of threads.
/// </summary>
internal sealed class RollupViews
{
    public const int Count = 4;

    private readonly SpanGroups?[] _groups = new SpanGroups?[Count];
    private readonly int[]?[] _numbers = new int[]?[Count];

    public RollupViews(SpanGroups groups)
    {
        _groups[0] = groups;
        var representatives = Representatives(groups.Owners);
        for (var view = RollupView.Operation; view <= RollupView.Service; view++)
        {
            var finer = _groups[(int)SourceOf(view)]!;
            var (coarser, numbers) = Coarsen(finer, view == RollupView.Instance ? null : representatives, withNames: view == RollupView.Operation);
            if (coarser.Count * 2L <= finer.Count)
            {
                _groups[(int)view] = coarser;
                _numbers[(int)view] = numbers;
            }
        }
    }

    /// <summary>Minutes by service are few; of the other views they would be nearly as many as those by resource, which answer in their place.</summary>
    public static bool HasMinutes(RollupView view) => view is RollupView.Resource or RollupView.Service;

    /// <summary>The next view that tells apart what this one does, and more: itself for the finest.</summary>
    public static RollupView FinerOf(RollupView view) => view == RollupView.Service ? RollupView.Instance : RollupView.Resource;

    /// <summary>The view that this one is made from: the next finer one that is kept.</summary>
    public RollupView SourceOf(RollupView view)
    {
        var finer = FinerOf(view);
        return _groups[(int)finer] is null ? SourceOf(finer) : finer;
    }

    /// <summary>Null when the view is not kept.</summary>
    public SpanGroups? GroupsOf(RollupView view) => _groups[(int)view];

    /// <summary>For each group of <see cref="SourceOf"/>, that of this view.</summary>
    public int[] NumbersOf(RollupView view) => _numbers[(int)view] ?? throw new ArgumentException("the view is not kept", nameof(view));

    private static (SpanGroups Groups, int[] Numbers) Coarsen(SpanGroups from, int[]? representatives, bool withNames)
    {
        var groups = new SpanGroups(from.Owners, from.Strings);
        var numbers = new int[from.Count];
        for (var group = 0; group < numbers.Length; group++)
        {
            var resource = from.Resources[group];
            numbers[group] = groups.NumberOf(
                resource < 0 ? SpanGroups.Unknown : representatives?[resource] ?? resource, withNames ? from.Names[group] : 0, from.Kinds[group], from.Statuses[group], from.Roots[group], int.MaxValue / 2);
        }
        return (groups, numbers);
    }

    /// <summary>For each resource the first of the same service: with the same value of service.name, or without one.</summary>
    private static int[] Representatives(ColumnBatch owners)
    {
        var representatives = new int[owners.ResourceAttributes.OwnerCount];
        var key = owners.Strings.Find("service.name"u8);
        var first = new Dictionary<(AttributeType Type, string? Text), int>();
        for (var resource = 0; resource < representatives.Length; resource++)
        {
            var entry = key < 0 ? -1 : owners.ResourceAttributes.Find(resource, key);
            var value = entry < 0 ? default : owners.ResourceAttributes.GetValue(entry, owners.Strings);
            var service = entry < 0 ? (default, null) : (value.Type, value.ToString());
            representatives[resource] = first.TryAdd(service, resource) ? resource : first[service];
        }
        return representatives;
    }
}
