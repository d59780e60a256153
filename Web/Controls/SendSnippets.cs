namespace Apm.Web.Controls;

/// <summary>What to type to send telemetry here, for each way people do it. Code, so the same in every language of the UI.</summary>
internal static class SendSnippets
{
    public static IReadOnlyList<(string Label, string Code)> For(string httpEndpoint, string grpcEndpoint) =>
    [
        (".NET", $"""
            dotnet add package OpenTelemetry.Extensions.Hosting
            dotnet add package OpenTelemetry.Instrumentation.AspNetCore
            dotnet add package OpenTelemetry.Instrumentation.Http
            dotnet add package OpenTelemetry.Exporter.OpenTelemetryProtocol

            // Program.cs
            builder.Logging.AddOpenTelemetry();
            builder.Services.AddOpenTelemetry()
                .ConfigureResource(r => r.AddService("my-service"))
                .WithTracing(t => t.AddAspNetCoreInstrumentation().AddHttpClientInstrumentation())
                .UseOtlpExporter(OtlpExportProtocol.Grpc, new Uri("{grpcEndpoint}"));
            """),
        ("Node.js", $"""
            npm install @opentelemetry/api @opentelemetry/auto-instrumentations-node

            export OTEL_SERVICE_NAME=my-service
            export OTEL_EXPORTER_OTLP_ENDPOINT={httpEndpoint}
            export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
            node --require @opentelemetry/auto-instrumentations-node/register app.js
            """),
        ("Python", $"""
            pip install opentelemetry-distro opentelemetry-exporter-otlp
            opentelemetry-bootstrap -a install

            export OTEL_SERVICE_NAME=my-service
            export OTEL_EXPORTER_OTLP_ENDPOINT={httpEndpoint}
            export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
            opentelemetry-instrument python app.py
            """),
        ("Java", $"""
            export OTEL_SERVICE_NAME=my-service
            export OTEL_EXPORTER_OTLP_ENDPOINT={httpEndpoint}
            export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
            java -javaagent:opentelemetry-javaagent.jar -jar app.jar
            """),
        ("Go", $"""
            go get go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp

            export OTEL_SERVICE_NAME=my-service
            export OTEL_EXPORTER_OTLP_ENDPOINT={httpEndpoint}

            exporter, err := otlptracehttp.New(ctx)
            provider := trace.NewTracerProvider(trace.WithBatcher(exporter))
            otel.SetTracerProvider(provider)
            """),
        ("Collector", $$"""
            exporters:
              otlphttp/apm:
                endpoint: {{httpEndpoint}}
            service:
              pipelines:
                traces:
                  receivers: [otlp]
                  exporters: [otlphttp/apm]
                logs:
                  receivers: [otlp]
                  exporters: [otlphttp/apm]
            """),
    ];
}
