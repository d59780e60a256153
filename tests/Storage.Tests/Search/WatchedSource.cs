using Apm.Storage.Columns;
using Apm.Storage.Embedded;
using Apm.Storage.Embedded.Search;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Tests.Search;

/// <summary>Passes on to a source; a block may be damaged, and each open can do something. Any number of threads.</summary>
internal sealed class WatchedSource(HeadSource inner, int damagedBlock = -1, Action? onOpen = null) : RowSource
{
    /// <summary>Blocks, each time one was opened.</summary>
    public List<int> Opened { get; } = [];

    public override Signal Signal => inner.Signal;

    public override int BlockCount => inner.BlockCount;

    public override long RowCount => inner.RowCount;

    public override long FirstTimeUnixNano => inner.FirstTimeUnixNano;

    public override long LastTimeUnixNano => inner.LastTimeUnixNano;

    public override ColumnBatch Owners => inner.Owners;

    public override IReadOnlyList<AttributeName> AttributeNames => inner.AttributeNames;

    public override BlockBounds GetBounds(int block) => inner.GetBounds(block);

    public override bool MayEqual(int block, Field field, in AttributeValue value) => inner.MayEqual(block, field, value);

    public override void FindTrace(TraceId traceId, List<int> blocks) => inner.FindTrace(traceId, blocks);

    public override RowBlock OpenBlock(int block)
    {
        lock (Opened)
        {
            Opened.Add(block);
        }
        onOpen?.Invoke();
        return block == damagedBlock ? throw new CorruptPartException("part", 7, "checksum") : inner.OpenBlock(block);
    }
}
