using Apm.Telemetry.Otlp;

namespace Apm.Telemetry.Tests.Otlp;

public sealed class ProtobufWriterTests
{
    [Fact]
    public void Write_EveryKind_GivesTheKnownBytes()
    {
        using var writer = new ProtobufWriter();
        writer.WriteVarint(1, 150);
        writer.WriteString(2, "testing");
        writer.WriteFixed64(3, 1);
        writer.WriteFixed32(16, 2);
        writer.WriteDouble(4, 1.0);
        var message = writer.BeginMessage(5);
        writer.WriteVarint(1, ulong.MaxValue);
        writer.EndMessage(message);

        // The first two are the examples of the protobuf encoding guide.
        Assert.Equal(
            "08" + "9601" + "12" + "07" + "74657374696E67" + "19" + "0100000000000000" + "8501" + "02000000" + "21" + "000000000000F03F" + "2A" + "0B" + "08" + "FFFFFFFFFFFFFFFFFF01",
            Convert.ToHexString(writer.Written));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(127)]
    [InlineData(128)]
    [InlineData(16_383)]
    [InlineData(16_384)]
    [InlineData(3_000_000)]
    public void EndMessage_AnyLength_WritesTheShortestLength(int length)
    {
        var content = new byte[length];
        new Random(length).NextBytes(content);
        using var nested = new ProtobufWriter();
        using var flat = new ProtobufWriter();
        var outer = nested.BeginMessage(1);
        var inner = nested.BeginMessage(2);
        nested.WriteRaw(content);
        nested.EndMessage(inner);
        nested.EndMessage(outer);
        using var middle = new ProtobufWriter();
        middle.WriteBytes(2, content);
        flat.WriteBytes(1, middle.Written);

        Assert.True(flat.Written.SequenceEqual(nested.Written));
    }
}
