using System.IO.Compression;
using Apm.Telemetry.Otlp;

namespace Apm.Telemetry.Tests.Otlp;

public sealed class GzipBodyTests
{
    private const int Limit = 1 << 20;

    private static byte[] Gzip(byte[] content, CompressionLevel level = CompressionLevel.Fastest)
    {
        var target = new MemoryStream();
        using (var gzip = new GZipStream(target, level, leaveOpen: true))
        {
            gzip.Write(content);
        }
        return target.ToArray();
    }

    private static byte[] Content(int length)
    {
        var content = new byte[length];
        new Random(length).NextBytes(content.AsSpan(0, length / 2));
        return content;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(100_000)]
    [InlineData(Limit - 1)]
    [InlineData(Limit)]
    public void Decompress_WithinTheLimit_GivesTheContent(int length)
    {
        var content = Content(length);

        using var body = GzipBody.Decompress(Gzip(content), Limit);

        Assert.True(content.AsSpan().SequenceEqual(body.Memory.Span));
    }

    [Fact]
    public void Decompress_EmptyMemberWrittenWhole_GivesNothing()
    {
        byte[] empty = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

        using var body = GzipBody.Decompress(empty, Limit);

        Assert.Equal(0, body.Memory.Length);
    }

    [Fact]
    public void Decompress_MembersJoined_GivesAll()
    {
        var first = Content(50_000);
        var second = Content(7);

        using var body = GzipBody.Decompress((byte[])[.. Gzip(first), .. Gzip(second)], Limit);

        Assert.True(body.Memory.Span.SequenceEqual((byte[])[.. first, .. second]));
    }

    [Fact]
    public void Decompress_LimitPassedByOneByte_IsTooLarge() =>
        Assert.Equal(Limit, Assert.Throws<BodyTooLargeException>(() => GzipBody.Decompress(Gzip(Content(Limit + 1)), Limit)).LimitBytes);

    [Fact]
    public void Decompress_Bomb_IsTooLargeWithoutBeingHeld()
    {
        var bomb = Gzip(new byte[64 << 20]);
        // The trailer lies about the length, so the buffer starts small and must grow.
        bomb.AsSpan(bomb.Length - 4).Clear();
        var before = GC.GetAllocatedBytesForCurrentThread();

        Assert.Throws<BodyTooLargeException>(() => GzipBody.Decompress(bomb, Limit));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 * Limit);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(100_000)]
    public void Decompress_CutAnywhere_IsMalformed(int length)
    {
        var body = Gzip(Content(length));
        for (var cut = 0; cut < body.Length; cut += Math.Max(1, body.Length / 300))
        {
            Assert.Throws<MalformedOtlpException>(() => GzipBody.Decompress(body.AsMemory(0, cut), Limit));
        }
        for (var cut = body.Length - 12; cut < body.Length; cut++)
        {
            Assert.Throws<MalformedOtlpException>(() => GzipBody.Decompress(body.AsMemory(0, cut), Limit));
        }
    }

    [Fact]
    public void Decompress_MembersJoinedAndCut_IsMalformed()
    {
        byte[] body = [.. Gzip(Content(1000)), .. Gzip(Content(500))];

        Assert.Throws<MalformedOtlpException>(() => GzipBody.Decompress(body.AsMemory(0, body.Length - 3), Limit));
    }

    [Fact]
    public void Decompress_AnyByteDamaged_NeverGivesOtherContent()
    {
        var content = Content(2000);
        var body = Gzip(content);
        for (var i = 0; i < body.Length; i++)
        {
            var damaged = (byte[])body.Clone();
            damaged[i] ^= 0x41;
            try
            {
                using var result = GzipBody.Decompress(damaged, Limit);
                Assert.True(content.AsSpan().SequenceEqual(result.Memory.Span), $"byte {i}");
            }
            catch (MalformedOtlpException e)
            {
                Assert.NotEmpty(e.Message);
            }
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("this is no gzip, though it is long enough")]
    public void Decompress_OtherBytes_IsMalformed(string text) =>
        Assert.Throws<MalformedOtlpException>(() => GzipBody.Decompress(System.Text.Encoding.UTF8.GetBytes(text), Limit));

    [Fact]
    public void Decompress_FollowedByOtherBytes_IsMalformed() =>
        Assert.Throws<MalformedOtlpException>(() => GzipBody.Decompress((byte[])[.. Gzip(Content(100)), 1, 2, 3, 4, 5], Limit));
}
