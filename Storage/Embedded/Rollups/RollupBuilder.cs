using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Embedded.Rollups;

/// <summary>Adds up the spans of a source by group and minute. One use, one thread.</summary>
internal sealed class RollupBuilder
{
    /// <summary>Rows taken together: bounds the builder's memory (6 bytes a row); the rollup of a larger source is the sum of several.</summary>
    private const int MaxRows = 1 << 20;

    private readonly SpanGroups _groups;
    private readonly BatchCopier _resources;
    private readonly int[] _resourceOf;
    private readonly int _maxGroups;
    private readonly CellLog _log;
    private ValueDictionary? _named;
    private int[] _nameOf = [];

    private RollupBuilder(RowSource source, StringTable strings, int maxGroups)
    {
        var owners = new ColumnBatch(Signal.Traces);
        _groups = new SpanGroups(owners, strings);
        _resources = new BatchCopier(source.Owners, owners, expectedRows: 1);
        _resourceOf = new int[source.Owners.ResourceAttributes.OwnerCount];
        Array.Fill(_resourceOf, -1);
        _maxGroups = maxGroups;
        _log = new CellLog((int)Math.Min(source.RowCount, MaxRows));
    }

    /// <summary>The rollup of a source's spans, without edges.</summary>
    /// <exception cref="CorruptPartException">A block is damaged: a rollup of the others would not say what is missing.</exception>
    public static Rollup Build(RowSource source, int maxGroups = SpanGroups.MaxGroups) => Build(source, new StringTable(), null, maxGroups);

    /// <summary>With the edges.</summary>
    /// <param name="edges">Takes the source's spans; its log has codes of <paramref name="strings"/>.</param>
    public static Rollup Build(RowSource source, StringTable strings, EdgeJoin? edges, int maxGroups = SpanGroups.MaxGroups)
    {
        var done = new List<Rollup>();
        var builder = new RollupBuilder(source, strings, maxGroups);
        for (var number = 0; number < source.BlockCount; number++)
        {
            using var block = source.OpenBlock(number);
            if (builder._log.Count > 0 && builder._log.Count + block.Rows > MaxRows)
            {
                done.Add(builder.ToRollup(new EdgeGroups(strings), RollupCells.Empty));
                builder = new RollupBuilder(source, strings, maxGroups);
            }
            builder.Add(block);
            edges?.Add(source, block);
        }
        edges?.Finish([source]);
        var rollup = edges is null
            ? builder.ToRollup(new EdgeGroups(strings) { IsKnown = false }, RollupCells.Empty)
            : builder.ToRollup(edges.Log.Groups, edges.Log.ToCells());
        return done.Count == 0 ? rollup : Rollup.Sum([.. done, rollup]);
    }

    private void Add(RowBlock block)
    {
        var times = block.TimeUnixNano;
        var durations = block.DurationNano;
        var kinds = block.Kinds;
        var statuses = block.Statuses;
        var resources = block.Resources;
        var parents = block.ParentSpanIds;
        var names = block.GetColumn(Field.Of(Intrinsic.Name));
        var codes = names is null ? default : names.Codes.Span;
        if (names is not null && !ReferenceEquals(names.Values, _named))
        {
            _named = names.Values;
            _nameOf = new int[names.Values.Count];
            Array.Fill(_nameOf, -1);
        }
        var minute = 0;
        long minuteStart = 0, minuteEnd = 0;
        for (var row = 0; row < times.Length; row++)
        {
            var time = times[row];
            if (time < minuteStart || time >= minuteEnd)
            {
                minute = RollupTiers.MinuteOf(time);
                minuteStart = minute * RollupTiers.MinuteNano;
                minuteEnd = minuteStart > long.MaxValue - RollupTiers.MinuteNano ? long.MaxValue : minuteStart + RollupTiers.MinuteNano;
            }
            var resource = _resourceOf[resources[row]] is var known and >= 0 ? known : _resourceOf[resources[row]] = _resources.CopyResource(resources[row]);
            var name = names is null ? 0 : _nameOf[codes[row]] is var code and >= 0 ? code : _nameOf[codes[row]] = _groups.Strings.Intern(names.Values.GetContent(codes[row]));
            var group = _groups.NumberOf(resource, name, kinds[row], statuses[row], parents[row].IsZero ? (byte)1 : (byte)0, _maxGroups);
            _log.Record(group, minute, durations[row], statuses[row] >= (byte)StatusCode.Error);
        }
    }

    private Rollup ToRollup(EdgeGroups edgeGroups, RollupCells edges) => new(_groups, _log.ToCells(_groups.Count), edgeGroups, edges);
}
