namespace Apm.Web.Tests;

/// <summary>The Collector of the story: one sender with a clock that is wrong.</summary>
internal static class FakeIngest
{
    public static object Answer(long now, bool empty) => new
    {
        receivers = new object[]
        {
            new { name = "OtlpHttp", port = 4318, state = "open", detail = (string?)null },
            new { name = "OtlpGrpc", port = 4317, state = "open", detail = (string?)null },
            new { name = "Zipkin", port = 9411, state = "failed", detail = (string?)"Port 9411 is in use by another process." },
            new { name = "Jaeger", port = 14268, state = "closed", detail = (string?)"Receivers:Jaeger:Enabled is false." },
        },
        buffer = new { appendedPosition = 81234, readPosition = 81230, committedPosition = 81200, uncommittedBytes = 6_400_000, limitBytes = 1_073_741_824, fault = (string?)null },
        totals = empty ? [] : new object[]
        {
            new { receiver = "OtlpGrpc", signal = "traces", requests = 4200, items = 385_200, rejectedItems = 12, rejectedRequests = 0, bytes = 192_000_000, compressedBytes = 41_000_000 },
            new { receiver = "OtlpGrpc", signal = "logs", requests = 900, items = 69_469, rejectedItems = 0, rejectedRequests = 3, bytes = 21_000_000, compressedBytes = 4_000_000 },
            new { receiver = "OtlpHttp", signal = "traces", requests = 300, items = 8_800, rejectedItems = 0, rejectedRequests = 0, bytes = 5_000_000, compressedBytes = 5_000_000 },
        },
        rejections = empty ? [] : new object[]
        {
            new { receiver = "OtlpGrpc", signal = "traces", reason = "time_out_of_range", items = 12, requests = 0, lastUnixNano = FakeQuery.Text(now - 90_000_000_000), lastMessage = "startTimeUnixNano 0 is before 1971; the sender's clock is not set" },
            new { receiver = "OtlpGrpc", signal = "logs", reason = "too_large", items = 0, requests = 3, lastUnixNano = FakeQuery.Text(now - 1_800_000_000_000), lastMessage = "21,400,000 bytes are more than Receivers:MaximumRequestBytes (16,777,216)" },
        },
        recent = empty ? [] : new object[]
        {
            new { timeUnixNano = FakeQuery.Text(now - 90_000_000_000), receiver = "OtlpGrpc", signal = "traces", reason = "time_out_of_range", message = "startTimeUnixNano 0 is before 1971", items = 4, peer = "10.0.3.17" },
            new { timeUnixNano = FakeQuery.Text(now - 1_800_000_000_000), receiver = "OtlpGrpc", signal = "logs", reason = "too_large", message = "21,400,000 bytes are more than 16,777,216", items = 0, peer = "10.0.3.4" },
        },
        series = new { startUnixNano = FakeQuery.Text(now - 1_800_000_000_000), stepNano = 30_000_000_000, items = Enumerable.Range(0, 60).Select(i => empty ? 0 : 7700 + (long)(300 * FakeQuery.Wave(i, 2))), rejected = Enumerable.Range(0, 60).Select(i => i == 57 && !empty ? 12 : 0) },
    };
}
