using System.Text.Json;

namespace Apm.Faults;

/// <summary>What the background of the store did in the rounds of a test, as <c>platform/storage</c> says: how many rounds saw each.</summary>
internal sealed class UpkeepSeen
{
    private long _mergedBytes;

    /// <summary>Parts were written from parts.</summary>
    public int Merged { get; private set; }

    /// <summary>Rows were taken out of parts that stayed.</summary>
    public int Rewritten { get; private set; }

    /// <summary>Whole parts were dropped.</summary>
    public int Dropped { get; private set; }

    /// <summary>The highest level of a part: above 1, what was merged or written anew was merged again.</summary>
    public int Level { get; private set; }

    public async Task AskAsync(HttpClient client)
    {
        using var answer = JsonDocument.Parse(await client.GetStringAsync("api/v1/platform/storage"));
        var state = answer.RootElement;
        var merging = state.GetProperty("merging");
        Assert.Equal(JsonValueKind.Null, merging.GetProperty("fault").ValueKind);
        Assert.Equal(0, state.GetProperty("damagedParts").GetInt64());
        var bytes = merging.GetProperty("mergedBytes").GetInt64();
        Merged += bytes > _mergedBytes ? 1 : 0;
        _mergedBytes = bytes;
        foreach (var signal in state.GetProperty("signals").EnumerateArray())
        {
            Level = signal.GetProperty("levels").EnumerateArray().Select(level => level.GetProperty("level").GetInt32()).Append(Level).Max();
            if (signal.GetProperty("lastDrop") is { ValueKind: JsonValueKind.Object } drop)
            {
                var isWhole = drop.GetProperty("parts").GetInt64() > 0;
                Dropped += isWhole ? 1 : 0;
                Rewritten += isWhole ? 0 : 1;
            }
        }
    }

    public override string ToString() => FormattableString.Invariant($"rounds with merges {Merged}, parts written anew {Rewritten}, parts dropped {Dropped}; highest level {Level}");
}
