using System.Buffers.Binary;
using Apm.DurableBuffer.Embedded;
using Apm.Telemetry;
using Apm.Telemetry.Files;
using Apm.TestKit;
using Microsoft.Extensions.Logging.Abstractions;

namespace Apm.DurableBuffer.Tests.Embedded;

/// <summary>Bodies that tell which batch they are, and what a log gives back.</summary>
internal static class BufferHarness
{
    public const string LogDirectory = "buffer";

    public static EmbeddedBufferOptions Options(int segmentBytes = 16 << 10, long handOverBytes = 1 << 20, int spares = 2) => new()
    {
        SegmentBytes = segmentBytes,
        HandOverBytes = handOverBytes,
        SpareSegments = spares,
    };

    public static EmbeddedBuffer Open(IFileSystem files, EmbeddedBufferOptions? options = null, long covered = 0, RecordingLogger<EmbeddedBuffer>? logger = null) =>
        EmbeddedBuffer.Open(files, LogDirectory, options ?? Options(), covered, TimeProvider.System, logger is null ? NullLogger<EmbeddedBuffer>.Instance : logger);

    /// <summary>A body of the length that begins with the id and goes on with bytes that follow from it.</summary>
    public static byte[] Body(int id, int lengthBytes)
    {
        var body = new byte[Math.Max(sizeof(int), lengthBytes)];
        new Random(id).NextBytes(body);
        BinaryPrimitives.WriteInt32LittleEndian(body, id);
        return body;
    }

    public static Batch Batch(int id, int lengthBytes = 40, IDisposable? owner = null) =>
        new(id % 2 == 0 ? Signal.Traces : Signal.Logs, (ushort)(id % 3), 1_000_000L + id, id % 5 == 0 ? BatchEncoding.Gzip : BatchEncoding.Identity, Body(id, lengthBytes), owner);

    /// <summary>The id of a batch, after checking that all of it came back as it went in.</summary>
    public static int IdOf(Batch batch)
    {
        var id = BinaryPrimitives.ReadInt32LittleEndian(batch.Body.Span);
        Assert.Equal(Body(id, batch.Body.Length), batch.Body.ToArray());
        Assert.Equal(id % 2 == 0 ? Signal.Traces : Signal.Logs, batch.Signal);
        Assert.Equal((ushort)(id % 3), batch.Tenant);
        Assert.Equal(1_000_000L + id, batch.ReceivedUnixNano);
        Assert.Equal(id % 5 == 0 ? BatchEncoding.Gzip : BatchEncoding.Identity, batch.Encoding);
        return id;
    }

    public static async Task AppendAsync(this EmbeddedBuffer buffer, int id, int lengthBytes = 40) =>
        await buffer.AppendAsync(Batch(id, lengthBytes), TestContext.Current.CancellationToken);

    /// <summary>Everything that can be read now.</summary>
    public static List<(long Position, int Id)> ReadAll(this EmbeddedBuffer buffer)
    {
        var read = new List<(long, int)>();
        while (buffer.TryRead() is { } batch)
        {
            read.Add((batch.Position, IdOf(batch)));
            batch.Dispose();
        }
        return read;
    }

    public static ValueTask CommitAsync(this EmbeddedBuffer buffer, long position) => buffer.CommitAsync(position, TestContext.Current.CancellationToken);
}
