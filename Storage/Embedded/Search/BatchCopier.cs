using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;

namespace Apm.Storage.Embedded.Search;

/// <summary>
/// Copies rows of one batch, whole and in any order, to the end of another of the same signal. Resources and scopes equal to one that the target has are
/// not copied again.
/// </summary>
internal sealed class BatchCopier
{
    private readonly ColumnBatch _source;
    private readonly ColumnBatch _target;
    private readonly int[] _strings;
    private readonly int[] _resources;
    private readonly int[] _scopes;

    public BatchCopier(ColumnBatch source, ColumnBatch target)
    {
        if (source.Signal != target.Signal)
        {
            throw new ArgumentException($"cannot copy {source.Signal} to {target.Signal}", nameof(target));
        }
        _source = source;
        _target = target;
        _strings = NewMap(source.Strings.Count);
        _resources = NewMap(source.ResourceAttributes.OwnerCount);
        _scopes = NewMap(source.ScopeAttributes.OwnerCount);
    }

    public void CopyRow(int row)
    {
        _target.TimeUnixNano.Add(_source.TimeUnixNano[row]);
        _target.TraceId.Add(_source.TraceId[row]);
        _target.SpanId.Add(_source.SpanId[row]);
        _target.Resource.Add(ResourceOf(_source.Resource[row]));
        _target.Scope.Add(ScopeOf(_source.Scope[row]));
        _target.Name.Add(StringOf(_source.Name[row]));
        _target.Flags.Add(_source.Flags[row]);
        _target.DroppedAttributesCount.Add(_source.DroppedAttributesCount[row]);
        CopyOwner(_source.Attributes, row, _target.Attributes);
        if (_source.Signal == Signal.Traces)
        {
            CopySpan(row);
        }
        else
        {
            CopyLogRecord(row);
        }
    }

    private void CopySpan(int row)
    {
        _target.ParentSpanId.Add(_source.ParentSpanId[row]);
        _target.DurationNano.Add(_source.DurationNano[row]);
        _target.Kind.Add(_source.Kind[row]);
        _target.Status.Add(_source.Status[row]);
        _target.StatusMessage.Add(StringOf(_source.StatusMessage[row]));
        _target.TraceState.Add(StringOf(_source.TraceState[row]));
        _target.DroppedEventsCount.Add(_source.DroppedEventsCount[row]);
        _target.DroppedLinksCount.Add(_source.DroppedLinksCount[row]);
        for (var i = row == 0 ? 0 : _source.EventEnd[row - 1]; i < _source.EventEnd[row]; i++)
        {
            _target.EventTimeUnixNano.Add(_source.EventTimeUnixNano[i]);
            _target.EventName.Add(StringOf(_source.EventName[i]));
            _target.EventDroppedAttributesCount.Add(_source.EventDroppedAttributesCount[i]);
            CopyOwner(_source.EventAttributes, i, _target.EventAttributes);
        }
        _target.EventEnd.Add(_target.EventName.Count);
        for (var i = row == 0 ? 0 : _source.LinkEnd[row - 1]; i < _source.LinkEnd[row]; i++)
        {
            _target.LinkTraceId.Add(_source.LinkTraceId[i]);
            _target.LinkSpanId.Add(_source.LinkSpanId[i]);
            _target.LinkTraceState.Add(StringOf(_source.LinkTraceState[i]));
            _target.LinkFlags.Add(_source.LinkFlags[i]);
            _target.LinkDroppedAttributesCount.Add(_source.LinkDroppedAttributesCount[i]);
            CopyOwner(_source.LinkAttributes, i, _target.LinkAttributes);
        }
        _target.LinkEnd.Add(_target.LinkSpanId.Count);
    }

    private void CopyLogRecord(int row)
    {
        _target.ObservedTimeUnixNano.Add(_source.ObservedTimeUnixNano[row]);
        _target.SeverityNumber.Add(_source.SeverityNumber[row]);
        _target.SeverityText.Add(StringOf(_source.SeverityText[row]));
        var type = _source.BodyType[row];
        _target.BodyType.Add(type);
        _target.BodyBits.Add(BitsOf(type, _source.BodyBits[row]));
    }

    private static int[] NewMap(int count)
    {
        var map = new int[count];
        Array.Fill(map, -1);
        return map;
    }

    private int StringOf(int code)
    {
        ref var mapped = ref _strings[code];
        if (mapped < 0)
        {
            mapped = _target.Strings.Intern(_source.Strings[code]);
        }
        return mapped;
    }

    private long BitsOf(AttributeType type, long bits) =>
        type is AttributeType.String or AttributeType.Bytes or AttributeType.Array or AttributeType.KeyValueList ? StringOf((int)bits) : bits;

    private void CopyOwner(AttributeTable from, int owner, AttributeTable to)
    {
        var end = from.Start(owner + 1);
        for (var entry = from.Start(owner); entry < end; entry++)
        {
            var type = from.Types[entry];
            to.Add(StringOf(from.Keys[entry]), type, BitsOf(type, from.Bits[entry]));
        }
        to.EndOwner();
    }

    private int ResourceOf(int resource)
    {
        if (_resources[resource] < 0)
        {
            var schemaUrl = StringOf(_source.ResourceSchemaUrl[resource]);
            var dropped = _source.ResourceDroppedAttributesCount[resource];
            var found = -1;
            for (var i = 0; i < _target.ResourceAttributes.OwnerCount && found < 0; i++)
            {
                if (_target.ResourceSchemaUrl[i] == schemaUrl && _target.ResourceDroppedAttributesCount[i] == dropped
                    && SameOwner(_source.ResourceAttributes, resource, _target.ResourceAttributes, i))
                {
                    found = i;
                }
            }
            if (found < 0)
            {
                found = _target.ResourceAttributes.OwnerCount;
                _target.ResourceSchemaUrl.Add(schemaUrl);
                _target.ResourceDroppedAttributesCount.Add(dropped);
                CopyOwner(_source.ResourceAttributes, resource, _target.ResourceAttributes);
            }
            _resources[resource] = found;
        }
        return _resources[resource];
    }

    private int ScopeOf(int scope)
    {
        if (_scopes[scope] < 0)
        {
            var name = StringOf(_source.ScopeName[scope]);
            var version = StringOf(_source.ScopeVersion[scope]);
            var schemaUrl = StringOf(_source.ScopeSchemaUrl[scope]);
            var dropped = _source.ScopeDroppedAttributesCount[scope];
            var found = -1;
            for (var i = 0; i < _target.ScopeAttributes.OwnerCount && found < 0; i++)
            {
                if (_target.ScopeName[i] == name && _target.ScopeVersion[i] == version && _target.ScopeSchemaUrl[i] == schemaUrl
                    && _target.ScopeDroppedAttributesCount[i] == dropped && SameOwner(_source.ScopeAttributes, scope, _target.ScopeAttributes, i))
                {
                    found = i;
                }
            }
            if (found < 0)
            {
                found = _target.ScopeAttributes.OwnerCount;
                _target.ScopeName.Add(name);
                _target.ScopeVersion.Add(version);
                _target.ScopeSchemaUrl.Add(schemaUrl);
                _target.ScopeDroppedAttributesCount.Add(dropped);
                CopyOwner(_source.ScopeAttributes, scope, _target.ScopeAttributes);
            }
            _scopes[scope] = found;
        }
        return _scopes[scope];
    }

    private bool SameOwner(AttributeTable from, int owner, AttributeTable to, int other)
    {
        var start = from.Start(owner);
        var otherStart = to.Start(other);
        var count = from.Start(owner + 1) - start;
        if (to.Start(other + 1) - otherStart != count)
        {
            return false;
        }
        for (var i = 0; i < count; i++)
        {
            var type = from.Types[start + i];
            if (to.Types[otherStart + i] != type || to.Keys[otherStart + i] != StringOf(from.Keys[start + i])
                || to.Bits[otherStart + i] != BitsOf(type, from.Bits[start + i]))
            {
                return false;
            }
        }
        return true;
    }
}
