namespace Apm.Storage.Columns;

/// <summary>
/// Finds the resource or scope that a batch has already, so that copying rows from many batches does not repeat it for each. Belongs to the batch's one writer.
/// Equality is by schema URL, dropped count and the attributes in their order.
/// </summary>
internal sealed class OwnerIndex
{
    private readonly ColumnBatch _batch;
    private readonly Dictionary<ulong, int> _resources = [];
    private readonly Dictionary<ulong, int> _scopes = [];
    private readonly List<int> _nextResource = [];
    private readonly List<int> _nextScope = [];

    public OwnerIndex(ColumnBatch batch)
    {
        _batch = batch;
        for (var resource = 0; resource < batch.ResourceAttributes.OwnerCount; resource++)
        {
            Link(_resources, _nextResource, ResourceHash(resource), resource);
        }
        for (var scope = 0; scope < batch.ScopeAttributes.OwnerCount; scope++)
        {
            Link(_scopes, _nextScope, ScopeHash(scope), scope);
        }
    }

    /// <summary>Index of the resource whose attributes were just added to the open owner of <see cref="ColumnBatch.ResourceAttributes"/>; closes or drops that owner.</summary>
    public int CloseResource(int schemaUrl, uint droppedAttributesCount)
    {
        var attributes = _batch.ResourceAttributes;
        var added = attributes.OwnerCount;
        attributes.EndOwner();
        _batch.ResourceSchemaUrl.Add(schemaUrl);
        _batch.ResourceDroppedAttributesCount.Add(droppedAttributesCount);
        var hash = ResourceHash(added);
        for (var other = _resources.GetValueOrDefault(hash, -1); other >= 0; other = _nextResource[other])
        {
            if (SameAttributes(attributes, other, added) && _batch.ResourceSchemaUrl[other] == schemaUrl
                && _batch.ResourceDroppedAttributesCount[other] == droppedAttributesCount)
            {
                attributes.RemoveLastOwner();
                _batch.ResourceSchemaUrl.RemoveLast();
                _batch.ResourceDroppedAttributesCount.RemoveLast();
                return other;
            }
        }
        Link(_resources, _nextResource, hash, added);
        return added;
    }

    /// <summary>As <see cref="CloseResource"/>, for a scope.</summary>
    public int CloseScope(int name, int version, int schemaUrl, uint droppedAttributesCount)
    {
        var attributes = _batch.ScopeAttributes;
        var added = attributes.OwnerCount;
        attributes.EndOwner();
        _batch.ScopeName.Add(name);
        _batch.ScopeVersion.Add(version);
        _batch.ScopeSchemaUrl.Add(schemaUrl);
        _batch.ScopeDroppedAttributesCount.Add(droppedAttributesCount);
        var hash = ScopeHash(added);
        for (var other = _scopes.GetValueOrDefault(hash, -1); other >= 0; other = _nextScope[other])
        {
            if (SameAttributes(attributes, other, added) && _batch.ScopeName[other] == name && _batch.ScopeVersion[other] == version
                && _batch.ScopeSchemaUrl[other] == schemaUrl && _batch.ScopeDroppedAttributesCount[other] == droppedAttributesCount)
            {
                attributes.RemoveLastOwner();
                _batch.ScopeName.RemoveLast();
                _batch.ScopeVersion.RemoveLast();
                _batch.ScopeSchemaUrl.RemoveLast();
                _batch.ScopeDroppedAttributesCount.RemoveLast();
                return other;
            }
        }
        Link(_scopes, _nextScope, hash, added);
        return added;
    }

    private static void Link(Dictionary<ulong, int> heads, List<int> next, ulong hash, int owner)
    {
        next.Add(heads.GetValueOrDefault(hash, -1));
        heads[hash] = owner;
    }

    private ulong ResourceHash(int resource) =>
        Mix(Mix(AttributesHash(_batch.ResourceAttributes, resource), (uint)_batch.ResourceSchemaUrl[resource]), _batch.ResourceDroppedAttributesCount[resource]);

    private ulong ScopeHash(int scope)
    {
        var hash = AttributesHash(_batch.ScopeAttributes, scope);
        hash = Mix(Mix(hash, (uint)_batch.ScopeName[scope]), (uint)_batch.ScopeVersion[scope]);
        return Mix(Mix(hash, (uint)_batch.ScopeSchemaUrl[scope]), _batch.ScopeDroppedAttributesCount[scope]);
    }

    private static ulong AttributesHash(AttributeTable attributes, int owner)
    {
        ulong hash = 0;
        for (var entry = attributes.Start(owner); entry < attributes.Start(owner + 1); entry++)
        {
            hash = Mix(Mix(hash, (uint)attributes.Keys[entry] | ((ulong)attributes.Types[entry] << 32)), (ulong)attributes.Bits[entry]);
        }
        return hash;
    }

    private static ulong Mix(ulong hash, ulong value)
    {
        hash = (hash ^ value) * 0x9E3779B97F4A7C15UL;
        return hash ^ (hash >> 29);
    }

    private static bool SameAttributes(AttributeTable attributes, int left, int right)
    {
        var count = attributes.Start(left + 1) - attributes.Start(left);
        if (attributes.Start(right + 1) - attributes.Start(right) != count)
        {
            return false;
        }
        var (a, b) = (attributes.Start(left), attributes.Start(right));
        return attributes.Keys.Slice(a, count).SequenceEqual(attributes.Keys.Slice(b, count))
            && attributes.Types.Slice(a, count).SequenceEqual(attributes.Types.Slice(b, count))
            && attributes.Bits.Slice(a, count).SequenceEqual(attributes.Bits.Slice(b, count));
    }
}
