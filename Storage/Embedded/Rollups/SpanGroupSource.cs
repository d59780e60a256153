using Apm.Storage.Columns;
using Apm.Storage.Embedded.Search;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Embedded.Rollups;

/// <summary>
/// The groups of a rollup as rows, one each, so that filters and groupings are evaluated on them by the same code as on spans and cannot differ.
/// What a group's key does not determine is not there.
/// </summary>
internal sealed class SpanGroupSource : RowSource
{
    private readonly SpanGroups _groups;
    private readonly SpanId[] _parents;
    private readonly int[] _resources;
    private readonly CodedColumn _names;

    public SpanGroupSource(SpanGroups groups)
    {
        _groups = groups;
        _parents = new SpanId[groups.Count];
        _resources = new int[groups.Count];
        var names = new int[groups.Count];
        for (var group = 0; group < groups.Count; group++)
        {
            _parents[group] = new SpanId(groups.Roots[group] == 0 ? 1UL : 0);
            // Of an unknown resource or name anything is read; who asks for either looks for it first.
            _resources[group] = Math.Max(groups.Resources[group], 0);
            names[group] = Math.Max(groups.Names[group], 0);
        }
        _names = new CodedColumn(names, new StringDictionary(groups.Strings));
    }

    public override Signal Signal => Signal.Traces;

    public override int BlockCount => 1;

    public override long RowCount => _groups.Count;

    public override long FirstTimeUnixNano => 0;

    public override long LastTimeUnixNano => 0;

    public override ColumnBatch Owners => _groups.Owners;

    public override IReadOnlyList<AttributeName> AttributeNames => [];

    public override BlockBounds GetBounds(int block) => new(_groups.Count, 0, 0, 0, 0);

    public override bool MayEqual(int block, Field field, in AttributeValue value) => true;

    public override void FindTrace(TraceId traceId, List<int> blocks)
    {
    }

    public override RowBlock OpenBlock(int block) => new Block(this);

    private sealed class Block(SpanGroupSource source) : RowBlock
    {
        public override int Rows => source._groups.Count;

        public override int Index => 0;

        public override BlockBounds Bounds => source.GetBounds(0);

        public override long BytesRead => 0;

        public override ReadOnlySpan<long> TimeUnixNano => throw Undetermined();

        public override ReadOnlySpan<TraceId> TraceIds => throw Undetermined();

        public override ReadOnlySpan<SpanId> SpanIds => throw Undetermined();

        /// <summary>Zero for roots, else not.</summary>
        public override ReadOnlySpan<SpanId> ParentSpanIds => source._parents;

        public override ReadOnlySpan<int> Resources => source._resources;

        public override ReadOnlySpan<int> Scopes => throw Undetermined();

        public override ReadOnlySpan<long> DurationNano => throw Undetermined();

        public override ReadOnlySpan<byte> Kinds => source._groups.Kinds.Values;

        public override ReadOnlySpan<byte> Statuses => source._groups.Statuses.Values;

        public override ReadOnlySpan<byte> SeverityNumbers => throw Undetermined();

        public override ChildRows? Events => throw Undetermined();

        public override ChildRows? Links => throw Undetermined();

        public override LinkTargets? LinkTargets => throw Undetermined();

        /// <summary>No record attribute: a field of any scope is then the resource's.</summary>
        public override CodedColumn? GetColumn(Field field) => field.Intrinsic == Intrinsic.Name ? source._names
            : field.Scope == FieldScope.Record ? null
            : throw Undetermined();

        public override void CopyRows(ReadOnlySpan<int> rows, ColumnBatch target) => throw Undetermined();

        public override void Dispose()
        {
        }

        private static InvalidOperationException Undetermined() => new("the groups of a rollup do not determine this");
    }
}
