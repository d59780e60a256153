using System.Text;
using Apm.DurableBuffer.Embedded;
using Apm.Telemetry;
using Apm.Telemetry.Files;

namespace Apm.DurableBuffer.Tests.Embedded;

/// <summary>FORMAT.md's boxes, filled. A change of these bytes is a change of the format's version.</summary>
public sealed class FormatTests
{
    private static readonly SegmentHeader Header = new(Generation: 0x2A, FirstPosition: 1001, PrecedingPosition: 1000, Salt: 0x1122334455667788, CreatedUnixNano: 1_700_000_000_000_000_000);

    [Fact]
    public void SegmentHeader_Encoded_IsTheseBytes()
    {
        var page = new byte[SegmentHeader.PageBytes];
        Header.Encode(page);
        var expected = """
               0 magic              41 50 4d 4c 4f 47 0d 0a
               8 version            01 00 00 00
              12 header bytes       40 00 00 00
              16 generation         2a 00 00 00 00 00 00 00
              24 first position     e9 03 00 00 00 00 00 00
              32 preceding position e8 03 00 00 00 00 00 00
              40 salt               88 77 66 55 44 33 22 11
              48 created            00 00 2a 36 fe 9c 97 17
              56 reserved           00 00 00 00
              60 crc32c             CRC

            """;
        var text = Annotate(page, ("magic", 8), ("version", 4), ("header bytes", 4), ("generation", 8), ("first position", 8), ("preceding position", 8), ("salt", 8), ("created", 8), ("reserved", 4), ("crc32c", 4));
        Assert.Equal(expected.Replace("CRC", Hex(BitConverter.GetBytes(Crc32C.Compute(page.AsSpan(0, 60)))), StringComparison.Ordinal), text);
        Assert.True(page.AsSpan(0, 64).SequenceEqual(page.AsSpan(2048, 64)));
        Assert.True(SegmentHeader.TryDecode(page, "x", out var decoded));
        Assert.Equal(Header, decoded);
    }

    [Fact]
    public void Record_Encoded_IsTheseBytes()
    {
        using var batch = new Batch(Signal.Logs, tenant: 7, receivedUnixNano: 1_700_000_000_000_000_001, BatchEncoding.Gzip, "hello"u8.ToArray());
        var bytes = new byte[RecordHeader.SizeBytes + 5];
        RecordHeader.Encode(bytes, batch, 1001, Header.RecordSeed);
        batch.Body.Span.CopyTo(bytes.AsSpan(RecordHeader.SizeBytes));
        var covered = new byte[4 + 20 + 5];
        bytes.AsSpan(0, 4).CopyTo(covered);
        bytes.AsSpan(8).CopyTo(covered.AsSpan(4));
        var expected = """
               0 body bytes         05 00 00 00
               4 crc32c             CRC
               8 position           e9 03 00 00 00 00 00 00
              16 signal             02
              17 encoding           01
              18 tenant             07 00
              20 received           01 00 2a 36 fe 9c 97 17
              28 body               68 65 6c 6c 6f

            """;
        var text = Annotate(bytes, ("body bytes", 4), ("crc32c", 4), ("position", 8), ("signal", 1), ("encoding", 1), ("tenant", 2), ("received", 8), ("body", 5));
        Assert.Equal(expected.Replace("CRC", Hex(BitConverter.GetBytes(Crc32C.Append(Header.RecordSeed, covered))), StringComparison.Ordinal), text);
        Assert.Equal(Crc32C.Compute([0x2A, 0, 0, 0, 0, 0, 0, 0, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11]), Header.RecordSeed);
    }

    private static string Annotate(ReadOnlySpan<byte> bytes, params (string Name, int Length)[] boxes)
    {
        var text = new StringBuilder();
        var at = 0;
        foreach (var (name, length) in boxes)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"{at,4} {name,-18} {Hex(bytes.Slice(at, length))}\n");
            at += length;
        }
        return text.ToString();
    }

    private static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes) is var hex
        ? string.Join(' ', Enumerable.Range(0, hex.Length / 2).Select(i => hex.Substring(i * 2, 2)))
        : "";
}
