using System.Net;
using Apm.Storage;
using Apm.Telemetry;

namespace Apm.Query.Tests.Platform;

public sealed class StorageEndpointsTests
{
    private static readonly StoreStatus s_status = new(
        [
            new SignalStatus(
                Signal.Traces, 1200, 300_000, 3, 5_000_000, 90_000_000, [new LevelStatus(0, 2, 1_000_000, 20_000_000), new LevelStatus(1, 1, 4_000_000, 70_000_000)],
                [new DayStatus(new DateOnly(2026, 1, 1), 3, 5_000_000, 90_000_000)], Batches.Origin,
                new RetentionStatus(TimeSpan.FromDays(7), new Dictionary<string, TimeSpan?> { ["payments"] = TimeSpan.FromDays(30), ["audit"] = null }),
                new DropStatus(Batches.Origin + 5, "disk budget", 1, 10, 1000)),
            new SignalStatus(Signal.Logs, 0, 0, 0, 0, 0, [], [], null, null, null),
        ],
        new MergingStatus(2, 20_000_000, 1, 90_000_000, 72_000_000, null), new DiskStatus(900, 100_000, 1000, "900 B are free"), 50_000_000_000,
        [new DamagedPart(Batches.Origin, Signal.Traces, "12.part", 131072, "block 3: checksum")], 1);

    [Fact]
    public async Task Get_AStore_SaysAllOfIt()
    {
        await using var host = await QueryHost.StartAsync(monitor: new StoreMonitor(() => s_status));
        Assert.Equal(
            """
            {
              "signals": [
                {
                  "signal": "traces",
                  "headRows": 1200,
                  "headBytes": 300000,
                  "parts": 3,
                  "rows": 5000000,
                  "bytes": 90000000,
                  "levels": [
                    { "level": 0, "parts": 2, "rows": 1000000, "bytes": 20000000 },
                    { "level": 1, "parts": 1, "rows": 4000000, "bytes": 70000000 }
                  ],
                  "days": [
                    { "day": "2026-01-01", "parts": 3, "rows": 5000000, "bytes": 90000000 }
                  ],
                  "oldestUnixNano": "1767225600000000000",
                  "retention": {
                    "defaultSeconds": 604800,
                    "services": [
                      { "service": "audit", "seconds": null },
                      { "service": "payments", "seconds": 2592000 }
                    ]
                  },
                  "lastDrop": { "atUnixNano": "1767225600000000005", "reason": "disk budget", "parts": 1, "rows": 10, "bytes": 1000 }
                },
                {
                  "signal": "logs",
                  "headRows": 0,
                  "headBytes": 0,
                  "parts": 0,
                  "rows": 0,
                  "bytes": 0,
                  "levels": [],
                  "days": [],
                  "oldestUnixNano": null,
                  "retention": null,
                  "lastDrop": null
                }
              ],
              "merging": { "backlogParts": 2, "backlogBytes": 20000000, "running": 1, "sealedBytes": 90000000, "mergedBytes": 72000000, "writeAmplification": 1.8, "fault": null },
              "disk": { "freeBytes": 900, "totalBytes": 100000, "watermarkBytes": 1000, "refusal": "900 B are free" },
              "diskBudgetBytes": 50000000000,
              "damaged": [
                { "atUnixNano": "1767225600000000000", "signal": "traces", "file": "12.part", "rows": 131072, "reason": "block 3: checksum" }
              ],
              "damagedParts": 1,
              "problems": [ "900 B are free", "1 damaged parts were set aside since the start; their rows are missing from answers" ]
            }
            """.ReplaceLineEndings("\n"), await host.GetTextAsync("/api/v1/platform/storage"));
    }

    [Fact]
    public async Task Get_WithoutAStoreHere_SaysWhere()
    {
        await using var host = await QueryHost.StartAsync();
        var (status, type, body) = await host.GetAsync("/api/v1/platform/storage");
        Assert.Equal((HttpStatusCode.NotFound, "application/problem+json"), (status, type));
        Assert.Contains("not in this process", body, StringComparison.Ordinal);
    }
}
