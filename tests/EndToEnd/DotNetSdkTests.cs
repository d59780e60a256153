using System.Diagnostics;
using System.Text.Json;
using Apm.TestKit.Processes;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Apm.EndToEnd;

/// <summary>The official .NET SDK against a started product.</summary>
public sealed class DotNetSdkTests(StandaloneFixture fixture)
{
    private StandaloneProcess Standalone => fixture.Process;

    [Theory]
    [InlineData(OtlpExportProtocol.Grpc)]
    [InlineData(OtlpExportProtocol.HttpProtobuf)]
    public async Task Export_EveryProtocol_IsReadBackValueByValue(OtlpExportProtocol protocol)
    {
        var service = $"dotnet-{protocol}";
        using var source = new ActivitySource(service);
        string traceId, spanId;
        using (var provider = Sdk.CreateTracerProviderBuilder().AddSource(service)
            .SetResourceBuilder(ResourceBuilder.CreateEmpty().AddService(service, serviceVersion: "3.1.4", autoGenerateServiceInstanceId: false))
            .AddOtlpExporter(options =>
            {
                options.Protocol = protocol;
                options.Endpoint = protocol == OtlpExportProtocol.Grpc ? new Uri($"http://localhost:{Standalone.GrpcPort}") : new Uri($"http://localhost:{Standalone.HttpPort}/v1/traces");
            }).Build())
        {
            using var activity = source.StartActivity("charge", ActivityKind.Consumer)!;
            activity.SetTag("card.network", "amex").SetTag("amount", 149.9).SetTag("attempt", 2).SetTag("retry", true).SetTag("codes", new[] { 1L, 2L });
            activity.AddException(new TimeoutException("the bank did not answer"));
            activity.SetStatus(ActivityStatusCode.Error, "timed out");
            traceId = activity.TraceId.ToString();
            spanId = activity.SpanId.ToString();
            activity.Stop();
            Assert.True(provider.ForceFlush(10_000));
        }
        using var answer = JsonDocument.Parse(await Standalone.EventuallyAsync(async client =>
        {
            using var response = await client.GetAsync($"api/v1/traces/{traceId}/spans/{spanId}");
            return response.IsSuccessStatusCode ? await response.Content.ReadAsStringAsync() : "";
        }, text => text.Length > 0));
        var span = answer.RootElement;
        Assert.Equal("charge", span.GetProperty("name").GetString());
        Assert.Equal("consumer", span.GetProperty("kind").GetString());
        Assert.Equal("timed out", span.GetProperty("statusMessage").GetString());
        var attributes = span.GetProperty("attributes");
        Assert.Equal("amex", attributes.GetProperty("card.network").GetString());
        Assert.Equal(149.9, attributes.GetProperty("amount").GetDouble());
        Assert.Equal(2, attributes.GetProperty("attempt").GetInt32());
        Assert.True(attributes.GetProperty("retry").GetBoolean());
        Assert.Equal(2, attributes.GetProperty("codes").GetArrayLength());
        var exception = Assert.Single(span.GetProperty("events").EnumerateArray());
        Assert.Equal("System.TimeoutException", exception.GetProperty("attributes").GetProperty("exception.type").GetString());
    }
}
