using Apm.Storage.Columns;

namespace Apm.Storage.Embedded.Rollups;

/// <summary>
/// What the spans of a rollup are told apart by: resource, name, kind, status, and whether they are roots. Built by one thread, group by group; then immutable.
/// </summary>
internal sealed class SpanGroups
{
    /// <summary>Names and, when even that is too much, resources are told apart up to this many groups in one rollup; the rest is added up as <see cref="Unknown"/>.</summary>
    public const int MaxGroups = 16_384;

    /// <summary>In place of a name or resource of a group that stands for many.</summary>
    public const int Unknown = -1;

    private int[] _slots = new int[256];
    private SpanGroupSource? _asRows;
    private RollupViews? _views;

    public SpanGroups(ColumnBatch owners, StringTable strings)
    {
        Owners = owners;
        Strings = strings;
    }

    /// <summary>The resources.</summary>
    public ColumnBatch Owners { get; }

    /// <summary>Of the whole rollup; names are codes in it.</summary>
    public StringTable Strings { get; }

    public int Count => Resources.Count;

    public Column<int> Resources { get; } = new();

    public Column<int> Names { get; } = new();

    public Column<byte> Kinds { get; } = new();

    public Column<byte> Statuses { get; } = new();

    /// <summary>1: the spans have no parent.</summary>
    public Column<byte> Roots { get; } = new();

    /// <summary>Some group stands for spans of names that are not told apart.</summary>
    public bool HasUnknownNames { get; private set; }

    public bool HasUnknownResources { get; private set; }

    /// <summary>Memory held.</summary>
    public long SizeBytes => Owners.SizeBytes + Strings.SizeBytes + (27L * Resources.CapacityCount) + (4L * _slots.Length);

    /// <summary>The groups as rows, once they are all there.</summary>
    public SpanGroupSource AsRows => _asRows ??= new SpanGroupSource(this);

    /// <summary>The groups' views, once they are all there.</summary>
    public RollupViews Views => _views ??= new RollupViews(this);

    /// <summary>The number of a group, which is added when it is new and there is room; else of one that stands for it.</summary>
    public int NumberOf(int resource, int name, byte kind, byte status, byte root, int maxGroups = MaxGroups)
    {
        var slot = Find(resource, name, kind, status, root);
        if (_slots[slot] != 0)
        {
            return _slots[slot] - 1;
        }
        if (Count >= maxGroups && name != Unknown)
        {
            return NumberOf(resource, Unknown, kind, status, root, maxGroups);
        }
        if (Count >= 2 * maxGroups && resource != Unknown)
        {
            return NumberOf(Unknown, Unknown, kind, status, root, maxGroups);
        }
        Add(resource, name, kind, status, root);
        _slots[slot] = Count;
        if (Count * 2 > _slots.Length)
        {
            Grow();
        }
        return Count - 1;
    }

    private void Add(int resource, int name, byte kind, byte status, byte root)
    {
        Resources.Add(resource);
        Names.Add(name);
        Kinds.Add(kind);
        Statuses.Add(status);
        Roots.Add(root);
        HasUnknownNames |= name == Unknown;
        HasUnknownResources |= resource == Unknown;
    }

    private int Find(int resource, int name, byte kind, byte status, byte root)
    {
        var mask = _slots.Length - 1;
        var slot = Hash(resource, name, kind, status, root) & mask;
        while (_slots[slot] is var number and not 0)
        {
            number--;
            if (Resources[number] == resource && Names[number] == name && Kinds[number] == kind && Statuses[number] == status && Roots[number] == root)
            {
                break;
            }
            slot = (slot + 1) & mask;
        }
        return slot;
    }

    private void Grow()
    {
        _slots = new int[_slots.Length * 2];
        for (var number = 0; number < Count; number++)
        {
            _slots[Find(Resources[number], Names[number], Kinds[number], Statuses[number], Roots[number])] = number + 1;
        }
    }

    private static int Hash(int resource, int name, byte kind, byte status, byte root)
    {
        var hash = ((((ulong)(uint)resource << 32) | (uint)name) ^ ((ulong)kind << 56) ^ ((ulong)status << 48) ^ ((ulong)root << 40)) * 0x9E3779B97F4A7C15UL;
        return (int)(hash >> 40);
    }
}
