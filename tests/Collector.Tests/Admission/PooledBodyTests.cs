using System.Buffers;
using Apm.Collector.Admission;
using Apm.Telemetry.Otlp;

namespace Apm.Collector.Tests.Admission;

public sealed class PooledBodyTests
{
    private const int Announced = 19 << 20;

    private readonly InFlightBytes _inFlight = new(256L << 20);

    [Theory]
    [InlineData(1, 64 << 10)]
    [InlineData((64 << 10) + 1, 256 << 10)]
    [InlineData((256 << 10) + 1, 1 << 20)]
    public void Append_LittleOfMuchThatWasAnnounced_HoldsLittle(int sent, int most)
    {
        using var reservation = new Reservation(_inFlight);
        using var body = new PooledBody(Announced, Announced, reservation);
        AppendInPieces(body, sent);
        Assert.InRange(_inFlight.Bytes, sent, most);
    }

    [Fact]
    public void Append_AllThatWasAnnounced_HoldsNoMoreThanThat()
    {
        using var reservation = new Reservation(_inFlight);
        using var body = new PooledBody(Announced, Announced, reservation);
        AppendInPieces(body, Announced);
        Assert.Equal(Announced, body.Length);
        Assert.Equal(Announced, _inFlight.Bytes);
        Assert.True(body.Memory.Span.IndexOfAnyExcept((byte)7) < 0);
    }

    [Fact]
    public void Append_NothingWasAnnounced_GrowsWithWhatComes()
    {
        using var reservation = new Reservation(_inFlight);
        using var body = new PooledBody(0, Announced, reservation);
        AppendInPieces(body, 3 << 20);
        Assert.Equal(3 << 20, body.Length);
        Assert.InRange(_inFlight.Bytes, 3 << 20, 6 << 20);
    }

    [Fact]
    public void Append_MoreThanTheLimit_IsRefused()
    {
        using var reservation = new Reservation(_inFlight);
        using var body = new PooledBody(0, 1 << 20, reservation);
        AppendInPieces(body, 1 << 20);
        Assert.Throws<BodyTooLargeException>(() => body.Append(new ReadOnlySequence<byte>(new byte[1])));
    }

    [Fact]
    public void Append_NoRoomInFlight_IsRefused_AndDisposingGivesAllBack()
    {
        var small = new InFlightBytes(100 << 10);
        using (var reservation = new Reservation(small))
        {
            using var body = new PooledBody(0, Announced, reservation);
            Assert.Throws<InFlightFullException>(() => AppendInPieces(body, 1 << 20));
        }
        Assert.Equal(0, small.Bytes);
    }

    private static void AppendInPieces(PooledBody body, int bytes)
    {
        var piece = new byte[16 << 10];
        piece.AsSpan().Fill(7);
        for (var left = bytes; left > 0; left -= piece.Length)
        {
            body.Append(new ReadOnlySequence<byte>(piece, 0, Math.Min(left, piece.Length)));
        }
    }
}
