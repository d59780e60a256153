using System.Net;
using System.Text.Json;
using Apm.Collector.Admission;
using Apm.DurableBuffer;
using Apm.ServiceDefaults.Settings;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ListenOptions = Apm.ServiceDefaults.Settings.ListenOptions;

namespace Apm.Collector.Tests;

/// <summary>The Collector on real Kestrel, on free ports of loopback.</summary>
internal sealed class CollectorHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly PortBindings _ports;

    private CollectorHost(WebApplication app, PortBindings ports, RecordingBuffer buffer)
    {
        _app = app;
        _ports = ports;
        Buffer = buffer;
        Main = Client("Main", HttpVersion.Version11);
        Http = Client(ReceiverNames.OtlpHttp, HttpVersion.Version11);
        Grpc = Client(ReceiverNames.OtlpGrpc, HttpVersion.Version20);
    }

    public RecordingBuffer Buffer { get; }

    public HttpClient Main { get; }

    public HttpClient Http { get; }

    public HttpClient Grpc { get; }

    public InFlightBytes InFlight => _app.Services.GetRequiredService<InFlightBytes>();

    public static async Task<CollectorHost> StartAsync(CollectorOptions? options = null, OtlpHttpReceiverOptions? otlpHttp = null)
    {
        var ports = PortBindings.Open(new ListenOptions { Address = "127.0.0.1" },
        [
            new PortRequest("Main", 0, HttpProtocols.Http1, true, ""),
            new PortRequest(ReceiverNames.OtlpGrpc, 0, HttpProtocols.Http2, true, ""),
            new PortRequest(ReceiverNames.OtlpHttp, 0, HttpProtocols.Http1, true, ""),
        ]);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        ports.Use(builder.WebHost);
        var buffer = new RecordingBuffer();
        builder.Services.AddSingleton<IBufferWriter>(buffer);
        builder.Services.AddCollector(options ?? new CollectorOptions(), otlpHttp ?? new OtlpHttpReceiverOptions(),
            [.. ports.Ports.Skip(1).Select(port => new ReceiverPort(port.Name, port.Port, ReceiverState.Open, null))]);
        var app = builder.Build();
        app.MapCollector();
        await app.StartAsync();
        return new CollectorHost(app, ports, buffer);
    }

    public int Port(string name) => _ports.Ports.Single(port => port.Name == name).Port;

    public async Task<JsonElement> ReportAsync() => JsonSerializer.Deserialize<JsonElement>(await Main.GetByteArrayAsync("/api/v1/ingest"));

    public Task<HttpResponseMessage> PostAsync(string path, byte[] body, string? contentType = "application/x-protobuf", string? encoding = null, HttpClient? client = null)
    {
        var content = new ByteArrayContent(body);
        if (contentType is not null)
        {
            content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        }
        if (encoding is not null)
        {
            content.Headers.ContentEncoding.Add(encoding);
        }
        return (client ?? Http).PostAsync(path, content);
    }

    public async Task<GrpcReply> CallAsync(string path, byte[] body, string contentType = "application/grpc", params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body), Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        request.Headers.TryAddWithoutValidation("te", "trailers");
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }
        using var response = await Grpc.SendAsync(request);
        var bytes = await response.Content.ReadAsByteArrayAsync();
        return new GrpcReply((int)response.StatusCode, Header(response, "grpc-status"), Header(response, "grpc-message"), Header(response, "grpc-status-details-bin"),
            Header(response, "grpc-accept-encoding"), response.Content.Headers.ContentType?.ToString(), bytes);

        static string? Header(HttpResponseMessage response, string name) =>
            response.TrailingHeaders.TryGetValues(name, out var trailers) ? trailers.Single() : response.Headers.TryGetValues(name, out var values) ? values.Single() : null;
    }

    public async ValueTask DisposeAsync()
    {
        Main.Dispose();
        Http.Dispose();
        Grpc.Dispose();
        await _app.DisposeAsync();
        _ports.Dispose();
    }

    private HttpClient Client(string name, Version version) => new()
    {
        BaseAddress = new Uri($"http://127.0.0.1:{Port(name)}"),
        DefaultRequestVersion = version,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };
}

internal sealed record GrpcReply(int Http, string? Status, string? Message, string? Details, string? AcceptEncoding, string? ContentType, byte[] Body);
