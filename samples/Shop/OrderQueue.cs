using System.Diagnostics;
using System.Text.Json;

namespace Apm.Shop;

/// <summary>
/// The queue "orders": a SQLite table that storefront writes and shipping reads, in different processes. Each message carries the sender's traceparent;
/// the receiver starts a trace of its own and links to it, as OpenTelemetry recommends for messaging.
/// </summary>
internal sealed class OrderQueue(ShopOptions options)
{
    public const string Name = "orders";

    private readonly ShopDatabase _table = new(options, Name, "CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY AUTOINCREMENT, traceparent TEXT NOT NULL, body TEXT NOT NULL);");

    public async Task PublishAsync<T>(string type, T message)
    {
        using var activity = RoleHost.Source.StartActivity($"publish {type}", ActivityKind.Producer);
        activity?.SetTag("messaging.system", "shopqueue").SetTag("messaging.destination.name", Name).SetTag("messaging.operation.type", "send").SetTag("messaging.operation.name", "publish").SetTag("messaging.message.id", Guid.NewGuid().ToString());
        var traceparent = activity?.Id ?? "";
        using (SuppressInstrumentation())
        {
            await _table.QueryAsync("INSERT INTO messages (traceparent, body) VALUES (@traceparent, @body)", ("@traceparent", traceparent), ("@body", JsonSerializer.Serialize(message)));
        }
    }

    /// <summary>Handles messages one after the other until stopped. A message whose handling fails is logged on its span and dropped.</summary>
    public async Task ConsumeAsync<T>(string type, Func<T, Task> handle, ILogger logger, CancellationToken stop)
    {
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (await poll.WaitForNextTickAsync(stop))
        {
            List<object?[]> rows;
            using (SuppressInstrumentation())
            {
                rows = await _table.QueryAsync("DELETE FROM messages WHERE id IN (SELECT id FROM messages ORDER BY id LIMIT 20) RETURNING traceparent, body");
            }
            foreach (var row in rows)
            {
                await HandleAsync(type, row, handle, logger);
            }
        }
    }

    private static async Task HandleAsync<T>(string type, object?[] row, Func<T, Task> handle, ILogger logger)
    {
        ActivityLink[] links = ActivityContext.TryParse((string)row[0]!, null, isRemote: true, out var sender) ? [new ActivityLink(sender)] : [];
        Activity.Current = null;
        using var activity = RoleHost.Source.StartActivity($"process {type}", ActivityKind.Consumer, parentContext: default, links: links);
        activity?.SetTag("messaging.system", "shopqueue").SetTag("messaging.destination.name", Name).SetTag("messaging.operation.type", "process").SetTag("messaging.operation.name", "process");
        try
        {
            await handle(JsonSerializer.Deserialize<T>((string)row[1]!)!);
        }
        catch (Exception e)
        {
            activity?.AddException(e).SetStatus(ActivityStatusCode.Error, e.Message);
            logger.LogError(e, "Message {Type} could not be handled", type);
        }
    }

    private static IDisposable SuppressInstrumentation() => OpenTelemetry.SuppressInstrumentationScope.Begin();
}
