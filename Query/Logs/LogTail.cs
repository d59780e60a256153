using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Apm.Query.Api;
using Apm.Query.Json;
using Apm.Storage;
using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Filters;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Apm.Query.Logs;

/// <summary>
/// The live tail: server-sent events, fed by a search every half second. Each search looks back a few seconds, as records become visible a little after the
/// time they carry and not in its order; those shown already are known by <see cref="SeenRecords"/>.
/// </summary>
internal sealed partial class LogTail(
    ILogStore logs, QueryAdmission admission, QueryRunFactory runs, IOptions<QueryOptions> options, TimeProvider time, ILogger<LogTail> logger)
{
    /// <summary>Records sent after one search: more than anybody reads in half a second; the rest is counted in a <c>dropped</c> event.</summary>
    internal const int MaxRecords = 500;

    /// <summary>Bytes of events after one search, and one record: what a viewer that does not read makes a tail keep. Twice what <see cref="MaxRecords"/> usually take.</summary>
    internal const int MaxEventBytes = 1 << 20;

    internal static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>How far each search looks back: what batching exporters delay records by (5 s by default) and the second until they are visible.</summary>
    internal static readonly TimeSpan LookBack = TimeSpan.FromSeconds(7);

    /// <summary>Idle connections are closed by proxies, often after 30 s.</summary>
    internal static readonly TimeSpan CommentInterval = TimeSpan.FromSeconds(15);

    private int _open;

    public IResult Open(Filter filter) => new TailAnswer(this, filter);

    private async Task RunAsync(HttpContext http, Filter filter)
    {
        if (Interlocked.Increment(ref _open) > options.Value.ConcurrentTails)
        {
            Interlocked.Decrement(ref _open);
            http.Response.Headers.RetryAfter = "10";
            await Results.Problem($"{options.Value.ConcurrentTails} live tails are open already.", statusCode: StatusCodes.Status503ServiceUnavailable, title: "Busy").ExecuteAsync(http);
            return;
        }
        try
        {
            http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
            http.Response.ContentType = "text/event-stream";
            http.Response.Headers.CacheControl = "no-store";
            await FollowAsync(http, filter, http.RequestAborted);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            LogClosed(logger);
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private async Task FollowAsync(HttpContext http, Filter filter, CancellationToken cancellationToken)
    {
        var seen = new SeenRecords((long)LookBack.TotalNanoseconds);
        var opened = runs.NowUnixNano();
        var commented = time.GetTimestamp();
        using var timer = new PeriodicTimer(PollInterval, time);
        await WriteAsync(http, ": open\n\n"u8.ToArray(), cancellationToken);
        do
        {
            var events = await PollAsync(filter, seen, opened, cancellationToken);
            if (events.WrittenCount > 0)
            {
                await WriteAsync(http, events.WrittenMemory, cancellationToken);
                commented = time.GetTimestamp();
            }
            else if (time.GetElapsedTime(commented) >= CommentInterval)
            {
                await WriteAsync(http, ": still open\n\n"u8.ToArray(), cancellationToken);
                commented = time.GetTimestamp();
            }
        }
        while (await timer.WaitForNextTickAsync(cancellationToken));
    }

    private static async Task WriteAsync(HttpContext http, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        await http.Response.Body.WriteAsync(bytes, cancellationToken);
        await http.Response.Body.FlushAsync(cancellationToken);
    }

    /// <summary>One search, as the bytes of its events; none when nothing is new.</summary>
    private async Task<ArrayBufferWriter<byte>> PollAsync(Filter filter, SeenRecords seen, long openedUnixNano, CancellationToken cancellationToken)
    {
        var start = Math.Max(openedUnixNano, runs.NowUnixNano() - (long)LookBack.TotalNanoseconds);
        LogSearchResult result;
        try
        {
            using var turn = await admission.EnterAsync(cancellationToken);
            result = await logs.SearchLogsAsync(
                new LogQuery(filter, new TimeRange(start, long.MaxValue), MaxRecords, CountAll: true), runs.Begin().Budget(), cancellationToken);
        }
        catch (QueryOverloadException exception)
        {
            // The next search catches up.
            LogSkipped(logger, exception.Message);
            return new ArrayBufferWriter<byte>(1);
        }
        return Events(result, seen, start);
    }

    private static ArrayBufferWriter<byte> Events(LogSearchResult result, SeenRecords seen, long startUnixNano)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var records = result.Records;
        seen.BeginSearch(startUnixNano);
        var fresh = new List<int>();
        // Newest first, as searched; sent in the order of time.
        for (var row = 0; row < records.Rows; row++)
        {
            if (seen.IsNew(records, row))
            {
                fresh.Add(row);
            }
        }
        fresh.Reverse();
        AppendDropped(buffer, seen.CountDropped(result.Matched, records));
        for (var i = 0; i < fresh.Count; i++)
        {
            if (buffer.WrittenCount >= MaxEventBytes)
            {
                AppendDropped(buffer, fresh.Count - i);
                break;
            }
            Append(buffer, "event: record\ndata: ");
            using (var writer = new Utf8JsonWriter(buffer, StreamedJson.WriterOptions))
            {
                LogJson.Write(writer, records, fresh[i]);
            }
            Append(buffer, "\n\n");
        }
        return buffer;
    }

    private static void AppendDropped(ArrayBufferWriter<byte> buffer, long count)
    {
        if (count > 0)
        {
            Append(buffer, string.Create(CultureInfo.InvariantCulture, $"event: dropped\ndata: {{\"count\":{count}}}\n\n"));
        }
    }

    private static void Append(ArrayBufferWriter<byte> buffer, string text) => Encoding.UTF8.GetBytes(text, buffer);

    [LoggerMessage(Level = LogLevel.Debug, Message = "A live tail was closed by its viewer.")]
    private static partial void LogClosed(ILogger logger);

    [LoggerMessage(Level = LogLevel.Debug, Message = "A live tail skipped a search: {Reason}")]
    private static partial void LogSkipped(ILogger logger, string reason);

    private sealed class TailAnswer(LogTail tail, Filter filter) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) => tail.RunAsync(httpContext, filter);
    }
}
