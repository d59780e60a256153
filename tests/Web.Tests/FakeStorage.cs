namespace Apm.Web.Tests;

/// <summary>The store of the story: five days of data, and a part that a bad sector took; or a young one, which has no part yet.</summary>
internal static class FakeStorage
{
    public static object Answer(long now, FakeMode mode)
    {
        var (empty, hostile, young) = (mode == FakeMode.Empty, mode == FakeMode.Hostile, mode == FakeMode.Young);
        var noParts = empty || young;
        var day = DateOnly.FromDateTime(DateTimeOffset.UnixEpoch.AddTicks(now / 100).UtcDateTime);
        object Signal(string name, long rows, long bytes) => new
        {
            signal = name, headRows = empty ? 0 : rows / 100, headBytes = empty ? 0 : bytes / 20, parts = noParts ? 0 : 9, rows = noParts ? 0 : rows, bytes = noParts ? 0 : bytes,
            levels = noParts ? [] : new object[] { new { level = 0, parts = 6, rows = rows / 10, bytes = bytes / 9 }, new { level = 1, parts = 3, rows = rows - (rows / 10), bytes = bytes - (bytes / 9) } },
            days = noParts ? [] : Enumerable.Range(0, 5).Select(i => new { day = day.AddDays(-i).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture), parts = 2, rows = rows / 5, bytes = bytes / 5 }).ToArray<object>(),
            oldestUnixNano = noParts ? null : FakeQuery.Text(now - (4 * 86_400_000_000_000)),
            retention = new { defaultSeconds = young ? 129_600.0 : 604_800.0, services = young ? [] : new object[] { new { service = hostile ? FakeQuery.Hostile : "payments", seconds = (double?)2_592_000 }, new { service = "audit", seconds = (double?)null } } },
            lastDrop = noParts ? null : new { atUnixNano = FakeQuery.Text(now - 3_600_000_000_000), reason = "age", parts = 1, rows = 1_400_000, bytes = 60_000_000 },
        };
        return new
        {
            signals = new[] { Signal("traces", 48_000_000, 2_000_000_000), Signal("logs", 9_000_000, 400_000_000) },
            merging = new { backlogParts = 3, backlogBytes = 15_000_000, running = 16, sealedBytes = noParts ? 0 : 3_000_000_000, mergedBytes = noParts ? 0 : 4_300_000_000, writeAmplification = noParts ? null : (double?)2.433, fault = (string?)null },
            disk = new { freeBytes = 420_000_000_000, totalBytes = 500_000_000_000, watermarkBytes = 5_000_000_000, refusal = empty ? "The disk of the data directory has 4.2 GB free, less than Storage:MinFreeBytes (5 GB)." : null },
            diskBudgetBytes = 50_000_000_000,
            damaged = noParts ? [] : new object[] { new { atUnixNano = FakeQuery.Text(now - 7_200_000_000_000), signal = "traces", file = "00000000000000a4.part", rows = 131_072, reason = hostile ? FakeQuery.Hostile : "block 3 at 81920: the checksum does not match" } },
            damagedParts = noParts ? 0 : 1,
            problems = Array.Empty<string>(),
        };
    }
}
