using System.Runtime.CompilerServices;
using Apm.Storage.Columns;

namespace Apm.Storage.Embedded.Search;

/// <summary>Codes of the service names of sources' resources in one table of strings, looked up once for each source. One thread; keeps no source alive.</summary>
internal sealed class ServiceCodes(StringTable strings)
{
    private readonly ConditionalWeakTable<RowSource, int[]> _sources = [];

    /// <summary>One code for each resource of <see cref="RowSource.Owners"/>.</summary>
    public int[] Of(RowSource source)
    {
        if (!_sources.TryGetValue(source, out var codes))
        {
            var owners = source.Owners;
            codes = new int[owners.ResourceAttributes.OwnerCount];
            for (var resource = 0; resource < codes.Length; resource++)
            {
                codes[resource] = strings.Intern(owners.ResourceServiceName(resource));
            }
            _sources.Add(source, codes);
        }
        return codes;
    }
}
