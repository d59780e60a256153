using System.Collections.Concurrent;
using System.Text;

namespace Apm.Web;

/// <summary>
/// One of 12 colours for a service, kept for as long as the process runs: the one its name hashes to, or the next one that nobody has while there is one.
/// So the same services get the same colours after a restart too, save for the few that collide. Safe from any thread.
/// </summary>
internal sealed class ServiceColors
{
    public const int Count = 12;

    /// <summary>Names kept at most; beyond it a name has the colour of its hash. A bound for memory: names come from senders.</summary>
    private const int MaximumNames = 5_000;

    private readonly ConcurrentDictionary<string, int> _colors = new(StringComparer.Ordinal);
    private readonly Lock _assign = new();
    private readonly int[] _uses = new int[Count];

    /// <summary>1–12, the number in <c>--svc-N</c>.</summary>
    public int this[string service]
    {
        get
        {
            if (_colors.TryGetValue(service, out var color))
                return color;
            lock (_assign)
            {
                if (_colors.TryGetValue(service, out color))
                    return color;
                color = Choose(service);
                if (_colors.Count < MaximumNames)
                {
                    _colors[service] = color;
                    _uses[color - 1]++;
                }
                return color;
            }
        }
    }

    /// <summary>What is assigned, for the modules of the browser.</summary>
    public IReadOnlyDictionary<string, int> Assigned => _colors;

    /// <summary>FNV-1a over UTF-8; wwwroot/js/colors.js computes the same.</summary>
    public static uint Hash(string service)
    {
        var hash = 2166136261u;
        foreach (var b in Encoding.UTF8.GetBytes(service))
            hash = unchecked((hash ^ b) * 16777619u);
        return hash;
    }

    private int Choose(string service)
    {
        var preferred = (int)(Hash(service) % Count);
        var least = _uses.Min();
        for (var i = 0; i < Count; i++)
        {
            var slot = (preferred + i) % Count;
            if (_uses[slot] == least)
                return slot + 1;
        }
        return preferred + 1;
    }
}
