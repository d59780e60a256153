using Apm.Telemetry;
using Apm.Telemetry.Attributes;

namespace Apm.Storage.Columns;

/// <summary>
/// Copies whole rows of one batch to another of the same signal: attributes, events, links, and each resource and scope once
/// (<see cref="ColumnBatch.Owners"/>). Used by the target's one writer.
/// </summary>
internal sealed class BatchCopier
{
    /// <summary>A map of all string codes pays when the rows to come use a good part of them: a row uses about this many.</summary>
    private const int StringsPerRow = 8;

    private const int Unknown = -1;

    private readonly ColumnBatch _source;
    private readonly ColumnBatch _target;
    private readonly int[]? _codes;
    private readonly int[] _resources;
    private readonly int[] _scopes;

    /// <param name="expectedRows">About how many rows will be copied.</param>
    public BatchCopier(ColumnBatch source, ColumnBatch target, int expectedRows)
    {
        if (source.Signal != target.Signal)
        {
            throw new ArgumentException($"rows of {source.Signal} cannot be copied to a batch of {target.Signal}", nameof(target));
        }
        _source = source;
        _target = target;
        if ((long)expectedRows * StringsPerRow >= source.Strings.Count)
        {
            _codes = new int[source.Strings.Count];
            Array.Fill(_codes, Unknown);
        }
        _resources = new int[source.ResourceAttributes.OwnerCount];
        Array.Fill(_resources, Unknown);
        _scopes = new int[source.ScopeAttributes.OwnerCount];
        Array.Fill(_scopes, Unknown);
    }

    /// <summary>Copies every row of <paramref name="source"/>.</summary>
    public static void CopyAll(ColumnBatch source, ColumnBatch target)
    {
        var copier = new BatchCopier(source, target, source.Rows);
        for (var row = 0; row < source.Rows; row++)
        {
            copier.CopyRow(row);
        }
    }

    public void CopyRow(int row)
    {
        var (source, target) = (_source, _target);
        target.TimeUnixNano.Add(source.TimeUnixNano[row]);
        target.TraceId.Add(source.TraceId[row]);
        target.SpanId.Add(source.SpanId[row]);
        target.Resource.Add(CopyResource(source.Resource[row]));
        target.Scope.Add(CopyScope(source.Scope[row]));
        target.Name.Add(CopyString(source.Name[row]));
        target.Flags.Add(source.Flags[row]);
        target.DroppedAttributesCount.Add(source.DroppedAttributesCount[row]);
        CopyAttributes(source.Attributes, row, target.Attributes);
        target.Attributes.EndOwner();
        if (source.Signal == Signal.Traces)
        {
            CopySpan(row);
        }
        else
        {
            CopyLogRecord(row);
        }
    }

    /// <summary>Index in the target of a resource of the source.</summary>
    public int CopyResource(int resource)
    {
        if (_resources[resource] == Unknown)
        {
            CopyAttributes(_source.ResourceAttributes, resource, _target.ResourceAttributes);
            _resources[resource] = _target.Owners.CloseResource(CopyString(_source.ResourceSchemaUrl[resource]), _source.ResourceDroppedAttributesCount[resource]);
        }
        return _resources[resource];
    }

    /// <summary>Index in the target of a scope of the source.</summary>
    public int CopyScope(int scope)
    {
        if (_scopes[scope] == Unknown)
        {
            CopyAttributes(_source.ScopeAttributes, scope, _target.ScopeAttributes);
            _scopes[scope] = _target.Owners.CloseScope(
                CopyString(_source.ScopeName[scope]), CopyString(_source.ScopeVersion[scope]), CopyString(_source.ScopeSchemaUrl[scope]),
                _source.ScopeDroppedAttributesCount[scope]);
        }
        return _scopes[scope];
    }

    private void CopySpan(int row)
    {
        var (source, target) = (_source, _target);
        target.ParentSpanId.Add(source.ParentSpanId[row]);
        target.DurationNano.Add(source.DurationNano[row]);
        target.Kind.Add(source.Kind[row]);
        target.Status.Add(source.Status[row]);
        target.StatusMessage.Add(CopyString(source.StatusMessage[row]));
        target.TraceState.Add(CopyString(source.TraceState[row]));
        target.DroppedEventsCount.Add(source.DroppedEventsCount[row]);
        target.DroppedLinksCount.Add(source.DroppedLinksCount[row]);
        for (var child = row == 0 ? 0 : source.EventEnd[row - 1]; child < source.EventEnd[row]; child++)
        {
            target.EventTimeUnixNano.Add(source.EventTimeUnixNano[child]);
            target.EventName.Add(CopyString(source.EventName[child]));
            target.EventDroppedAttributesCount.Add(source.EventDroppedAttributesCount[child]);
            CopyAttributes(source.EventAttributes, child, target.EventAttributes);
            target.EventAttributes.EndOwner();
        }
        target.EventEnd.Add(target.EventName.Count);
        for (var child = row == 0 ? 0 : source.LinkEnd[row - 1]; child < source.LinkEnd[row]; child++)
        {
            target.LinkTraceId.Add(source.LinkTraceId[child]);
            target.LinkSpanId.Add(source.LinkSpanId[child]);
            target.LinkTraceState.Add(CopyString(source.LinkTraceState[child]));
            target.LinkFlags.Add(source.LinkFlags[child]);
            target.LinkDroppedAttributesCount.Add(source.LinkDroppedAttributesCount[child]);
            CopyAttributes(source.LinkAttributes, child, target.LinkAttributes);
            target.LinkAttributes.EndOwner();
        }
        target.LinkEnd.Add(target.LinkSpanId.Count);
    }

    private void CopyLogRecord(int row)
    {
        var (source, target) = (_source, _target);
        target.ObservedTimeUnixNano.Add(source.ObservedTimeUnixNano[row]);
        target.SeverityNumber.Add(source.SeverityNumber[row]);
        target.SeverityText.Add(CopyString(source.SeverityText[row]));
        target.BodyType.Add(source.BodyType[row]);
        target.BodyBits.Add(CopyBits(source.BodyType[row], source.BodyBits[row]));
    }

    private void CopyAttributes(AttributeTable from, int owner, AttributeTable to)
    {
        var (start, end) = (from.Start(owner), from.Start(owner + 1));
        var keys = from.Keys;
        var types = from.Types;
        var bits = from.Bits;
        for (var entry = start; entry < end; entry++)
        {
            to.Add(CopyString(keys[entry]), types[entry], CopyBits(types[entry], bits[entry]));
        }
    }

    private long CopyBits(AttributeType type, long bits) => type.HasContent() ? CopyString((int)bits) : bits;

    private int CopyString(int code)
    {
        if (code == 0)
        {
            return 0;
        }
        if (_codes is null)
        {
            return _target.Strings.Intern(_source.Strings[code]);
        }
        var copy = _codes[code];
        if (copy == Unknown)
        {
            copy = _target.Strings.Intern(_source.Strings[code]);
            _codes[code] = copy;
        }
        return copy;
    }
}
