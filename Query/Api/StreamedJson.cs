using System.IO.Pipelines;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Apm.Query.Api;

/// <summary>
/// A JSON answer written straight to the connection, piece by piece. It is written after the endpoint's turn has ended, so that a slow reader holds up nobody.
/// </summary>
/// <param name="pieces">Each call writes one piece and says whether more follow; pieces are flushed as they fill the buffer.</param>
/// <param name="heldBytes">What <paramref name="pieces"/> keeps in memory.</param>
internal sealed class StreamedJson(Func<Utf8JsonWriter, IEnumerable<bool>> pieces, long heldBytes = 0) : IResult, IHeldAnswer
{
    /// <summary>Bytes buffered before they are sent: several network packets, and far below what a large trace takes.</summary>
    private const int FlushBytes = 64 * 1024;

    // Relaxed: JSON is never embedded in HTML by this API, and names in any script stay readable and short.
    internal static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public long HeldBytes { get; } = heldBytes;

    public StreamedJson(Action<Utf8JsonWriter> write)
        : this(writer => Once(writer, write))
    {
    }

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.ContentType = "application/json";
        var body = httpContext.Response.BodyWriter;
        await using var writer = new Utf8JsonWriter(body, WriterOptions);
        long flushed = 0;
        foreach (var _ in pieces(writer))
        {
            if (writer.BytesCommitted + writer.BytesPending - flushed >= FlushBytes)
            {
                flushed = writer.BytesCommitted + writer.BytesPending;
                await FlushAsync(writer, body, httpContext.RequestAborted);
            }
        }
        await FlushAsync(writer, body, httpContext.RequestAborted);
    }

    private static async ValueTask FlushAsync(Utf8JsonWriter writer, PipeWriter body, CancellationToken cancellationToken)
    {
        await writer.FlushAsync(cancellationToken);
        await body.FlushAsync(cancellationToken);
    }

    private static IEnumerable<bool> Once(Utf8JsonWriter writer, Action<Utf8JsonWriter> write)
    {
        write(writer);
        yield return true;
    }
}
