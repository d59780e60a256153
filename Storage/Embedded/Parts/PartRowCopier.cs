using Apm.Storage.Columns;
using Apm.Storage.Embedded.Encodings;
using Apm.Telemetry;

namespace Apm.Storage.Embedded.Parts;

/// <summary>Copies whole rows of a part's block to a batch. One use, one thread.</summary>
internal sealed class PartRowCopier(PartBlock block, ColumnBatch target, int expectedRows)
{
    private readonly BatchCopier _owners = new(block.Source.Owners, target, 0);
    private readonly PartAttributes _attributes = new(block, PlainColumn.RecordShape, block.Directory.Records, block.Rows, target.Strings, expectedRows);

    public void Copy(ReadOnlySpan<int> rows)
    {
        if (rows.IsEmpty)
        {
            return;
        }
        CopyCommon(rows);
        if (target.Signal == Signal.Traces)
        {
            CopySpans(rows);
            CopyEvents(rows);
            CopyLinks(rows);
        }
        else
        {
            CopyLogRecords(rows);
        }
    }

    private void CopyCommon(ReadOnlySpan<int> rows)
    {
        var times = block.TimeUnixNano;
        var traceIds = block.TraceIds;
        var spanIds = block.SpanIds;
        var resources = block.Resources;
        var scopes = block.Scopes;
        var owners = block.Source.Owners;
        var names = new Strings(block, IntrinsicKey.Name, block.Rows);
        var flags = block.Ints(PlainColumn.Flags, block.Rows);
        var dropped = block.Ints(PlainColumn.DroppedAttributes, block.Rows);
        foreach (var row in rows)
        {
            if ((uint)resources[row] >= (uint)owners.ResourceAttributes.OwnerCount || (uint)scopes[row] >= (uint)owners.ScopeAttributes.OwnerCount)
            {
                throw block.Corrupt(PlainColumn.Resource, $"row {row} has a resource or scope that the part lacks");
            }
            target.TimeUnixNano.Add(times[row]);
            target.TraceId.Add(traceIds[row]);
            target.SpanId.Add(spanIds[row]);
            target.Resource.Add(_owners.CopyResource(resources[row]));
            target.Scope.Add(_owners.CopyScope(scopes[row]));
            target.Name.Add(names.Copy(row, target.Strings));
            target.Flags.Add((uint)flags[row]);
            target.DroppedAttributesCount.Add((uint)dropped[row]);
            _attributes.CopyTo(row, target.Attributes);
            target.Attributes.EndOwner();
        }
    }

    private void CopySpans(ReadOnlySpan<int> rows)
    {
        var parents = block.ParentSpanIds;
        var durations = block.DurationNano;
        var kinds = block.Kinds;
        var statuses = block.Statuses;
        var messages = new Strings(block, IntrinsicKey.StatusMessage, block.Rows);
        var traceStates = new Strings(block, IntrinsicKey.TraceState, block.Rows);
        var droppedEvents = block.Ints(PlainColumn.DroppedEvents, block.Rows);
        var droppedLinks = block.Ints(PlainColumn.DroppedLinks, block.Rows);
        foreach (var row in rows)
        {
            target.ParentSpanId.Add(parents[row]);
            target.DurationNano.Add(durations[row]);
            target.Kind.Add(kinds[row]);
            target.Status.Add(statuses[row]);
            target.StatusMessage.Add(messages.Copy(row, target.Strings));
            target.TraceState.Add(traceStates.Copy(row, target.Strings));
            target.DroppedEventsCount.Add((uint)droppedEvents[row]);
            target.DroppedLinksCount.Add((uint)droppedLinks[row]);
        }
    }

    private void CopyEvents(ReadOnlySpan<int> rows)
    {
        var ends = PartChildren.Ends(block, PlainColumn.EventCount);
        var count = ends[^1];
        if (count == 0)
        {
            FillEnds(target.EventEnd, rows.Length, target.EventName.Count);
            return;
        }
        var attributes = new PartAttributes(block, PlainColumn.EventShape, block.Directory.Events, count, target.Strings, count);
        var names = new Strings(block, IntrinsicKey.EventName, count);
        var times = block.ReadLongs(PlainColumn.EventTime, count);
        var dropped = block.Ints(PlainColumn.EventDroppedAttributes, count);
        var starts = block.TimeUnixNano;
        foreach (var row in rows)
        {
            for (var child = row == 0 ? 0 : ends[row - 1]; child < ends[row]; child++)
            {
                target.EventTimeUnixNano.Add(times[child] + starts[row]);
                target.EventName.Add(names.Copy(child, target.Strings));
                target.EventDroppedAttributesCount.Add((uint)dropped[child]);
                attributes.CopyTo(child, target.EventAttributes);
                target.EventAttributes.EndOwner();
            }
            target.EventEnd.Add(target.EventName.Count);
        }
    }

    private void CopyLinks(ReadOnlySpan<int> rows)
    {
        var ends = PartChildren.Ends(block, PlainColumn.LinkCount);
        var count = ends[^1];
        if (count == 0)
        {
            FillEnds(target.LinkEnd, rows.Length, target.LinkSpanId.Count);
            return;
        }
        var attributes = new PartAttributes(block, PlainColumn.LinkShape, block.Directory.Links, count, target.Strings, count);
        var traceIds = block.ReadLinkTraceIds(count);
        var spanIds = block.ReadSpanIds(PlainColumn.LinkSpanId, count);
        var traceStates = new Strings(block, IntrinsicKey.LinkTraceState, count);
        var flags = block.Ints(PlainColumn.LinkFlags, count);
        var dropped = block.Ints(PlainColumn.LinkDroppedAttributes, count);
        foreach (var row in rows)
        {
            for (var child = row == 0 ? 0 : ends[row - 1]; child < ends[row]; child++)
            {
                target.LinkTraceId.Add(traceIds[child]);
                target.LinkSpanId.Add(spanIds[child]);
                target.LinkTraceState.Add(traceStates.Copy(child, target.Strings));
                target.LinkFlags.Add((uint)flags[child]);
                target.LinkDroppedAttributesCount.Add((uint)dropped[child]);
                attributes.CopyTo(child, target.LinkAttributes);
                target.LinkAttributes.EndOwner();
            }
            target.LinkEnd.Add(target.LinkSpanId.Count);
        }
    }

    private void CopyLogRecords(ReadOnlySpan<int> rows)
    {
        var times = block.TimeUnixNano;
        var observed = block.ReadLongs(PlainColumn.ObservedTime, block.Rows);
        var severities = block.SeverityNumbers;
        var texts = new Strings(block, IntrinsicKey.SeverityText, block.Rows);
        var bodies = new Strings(block, IntrinsicKey.Body, block.Rows);
        foreach (var row in rows)
        {
            target.ObservedTimeUnixNano.Add(observed[row] + times[row]);
            target.SeverityNumber.Add(severities[row]);
            target.SeverityText.Add(texts.Copy(row, target.Strings));
            target.BodyType.Add(bodies.TypeOf(row));
            target.BodyBits.Add(bodies.CopyBits(row, target.Strings));
        }
    }

    private static void FillEnds(Column<int> ends, int rows, int end)
    {
        for (; rows > 0; rows--)
        {
            ends.Add(end);
        }
    }

    /// <summary>An intrinsic with one value for each row, event or link.</summary>
    private readonly struct Strings
    {
        private readonly int[] _codes;
        private readonly ValueList _values;

        public Strings(PartBlock block, string key, int count)
        {
            var column = block.Directory.Find(ValueScope.Intrinsic, key);
            if (column is null || block.InBlock(column) is not { } inBlock || inBlock.Entries != count)
            {
                throw block.Corrupt(PlainColumn.RecordShape, $"'{key}' does not have {count} values in the block");
            }
            (_codes, _values) = block.Dense(column, inBlock);
        }

        public int Copy(int index, StringTable strings) => strings.Intern(_values.GetContent(_codes[index]));

        public Telemetry.Attributes.AttributeType TypeOf(int index) => _values.GetType(_codes[index]);

        public long CopyBits(int index, StringTable strings) => TypeOf(index).HasContent() ? Copy(index, strings) : _values.GetBits(_codes[index]);
    }
}
