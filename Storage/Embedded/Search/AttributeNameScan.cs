using System.Runtime.InteropServices;
using System.Text;
using Apm.Storage.Columns;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Embedded.Search;

/// <summary>Adds up the attribute keys of the sources in a range; reads no rows.</summary>
internal static class AttributeNameScan
{
    public static IReadOnlyList<AttributeName> Run(Scan scan, AttributeNameQuery query)
    {
        var records = new Dictionary<(FieldScope Scope, string Key), long>();
        foreach (var source in scan.SourcesIn(query.Range))
        {
            if (!scan.MayGoOn())
            {
                break;
            }
            foreach (var name in source.AttributeNames)
            {
                Add(name.Scope, name.Key, name.Records);
            }
            AddOwners(FieldScope.Resource, source.Owners.ResourceAttributes, source);
            AddOwners(FieldScope.InstrumentationScope, source.Owners.ScopeAttributes, source);
        }
        return [.. records.OrderByDescending(name => name.Value).ThenBy(name => name.Key.Key, StringComparer.Ordinal).ThenBy(name => name.Key.Scope)
            .Take(query.MaxNames).Select(name => new AttributeName(name.Key.Scope, name.Key.Key, name.Value))];

        void Add(FieldScope scope, string key, long count)
        {
            if ((query.Scope == FieldScope.Any || query.Scope == scope) && key.StartsWith(query.Prefix, StringComparison.Ordinal))
            {
                CollectionsMarshal.GetValueRefOrAddDefault(records, (scope, key), out _) += count;
            }
        }

        // How many rows a resource has is not known without reading them: each is taken to have its share.
        void AddOwners(FieldScope scope, AttributeTable owners, RowSource source)
        {
            var counts = new Dictionary<int, int>();
            foreach (var key in owners.Keys)
            {
                CollectionsMarshal.GetValueRefOrAddDefault(counts, key, out _)++;
            }
            foreach (var (key, count) in counts)
            {
                var share = Math.Min(1.0, (double)count / Math.Max(1, owners.OwnerCount));
                Add(scope, Encoding.UTF8.GetString(source.Owners.Strings[key]), Math.Max(1, (long)(source.RowCount * share)));
            }
        }
    }
}
