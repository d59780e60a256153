using System.Buffers;
using System.IO.Compression;
using System.Text;
using Apm.Telemetry.Otlp;

namespace Apm.Telemetry.Tests.Otlp;

/// <summary>Damaged bodies: only <see cref="MalformedOtlpException"/> may come out, and little memory goes in. Seeded, so a failure repeats.</summary>
public sealed class OtlpFuzzTests
{
    private const int Rounds = 3000;

    [Fact]
    public void Check_MutatedProtobuf_OnlyRefuses()
    {
        var bodies = Enumerable.Range(0, 20).Select(seed => OtlpSample.RandomTraces(new Random(seed)).ToProtobuf())
            .Concat(Enumerable.Range(0, 20).Select(seed => OtlpSample.RandomLogs(new Random(seed)).ToProtobuf())).ToArray();
        Fuzz(bodies, body =>
        {
            OtlpCheck.Traces(body);
            OtlpCheck.Logs(body);
        });
    }

    [Fact]
    public void ToProtobuf_MutatedJson_OnlyRefusesAndWritesWhatTheCheckCanRead()
    {
        var bodies = Enumerable.Range(0, 20).Select(seed => Encoding.UTF8.GetBytes(OtlpSample.RandomTraces(new Random(seed)).ToJson(new Random(seed)))).ToArray();
        Fuzz(bodies, body =>
        {
            var target = new ArrayBufferWriter<byte>();
            OtlpJson.ToProtobufTraces(body, target);
            Assert.InRange(target.WrittenCount, 0, body.Length + 1);
            try
            {
                OtlpCheck.Traces(target.WrittenSpan);
            }
            catch (MalformedOtlpException e)
            {
                throw new InvalidOperationException("the transcoder wrote a malformed message", e);
            }
        });
    }

    [Fact]
    public void Decompress_MutatedGzip_OnlyRefuses()
    {
        const int limit = 1 << 20;
        var target = new MemoryStream();
        using (var gzip = new GZipStream(target, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(OtlpSample.RandomTraces(new Random(7)).ToProtobuf());
        }
        Fuzz([target.ToArray()], body =>
        {
            try
            {
                GzipBody.Decompress(body, limit).Dispose();
            }
            catch (BodyTooLargeException e)
            {
                throw new MalformedOtlpException("too large", e);
            }
        }, allowedBytes: 3 * limit); // a body that unpacks to the limit, in steps that double
    }

    /// <param name="allowedBytes">Allocated for one body at most, beside 20 times its length: buffers that the pool does not have yet.</param>
    private static void Fuzz(byte[][] bodies, Action<byte[]> read, long allowedBytes = 300_000)
    {
        var random = new Random(42);
        var refused = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var body = Mutate(bodies[random.Next(bodies.Length)], bodies[random.Next(bodies.Length)], random);
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                read(body);
            }
            catch (MalformedOtlpException)
            {
                refused++;
            }
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, allowedBytes + (20L * body.Length));
        }
        Assert.InRange(refused, Rounds / 10, Rounds);
    }

    private static byte[] Mutate(byte[] body, byte[] other, Random random)
    {
        var bytes = body.ToList();
        for (var i = random.Next(1, 6); i > 0 && bytes.Count > 0; i--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 20), bytes.Count - at));
                    break;
                case 3:
                    bytes.InsertRange(at, Enumerable.Repeat((byte)0xff, random.Next(1, 12)));
                    break;
                case 4 when other.Length > 0:
                    var from = random.Next(other.Length);
                    bytes.InsertRange(at, other.AsSpan(from, Math.Min(random.Next(1, 200), other.Length - from)).ToArray());
                    break;
                default:
                    bytes[at] = (byte)(bytes[at] + 1);
                    break;
            }
        }
        return [.. bytes];
    }
}
