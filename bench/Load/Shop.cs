using Apm.Telemetry.Otlp;

namespace Apm.Bench;

/// <summary>The services whose telemetry is sent: 20, of 3 instances each.</summary>
internal static class Shop
{
    public const int InstancesPerService = 3;

    private static readonly string[] Languages = ["dotnet", "java", "go", "nodejs", "python"];

    public static IReadOnlyList<string> Services { get; } = ["gateway", "checkout", "cart", "catalog", "payment", "shipping", "email", "recommendation", "ad", "currency", "quote", "fraud", "inventory", "search", "user", "auth", "notification", "pricing", "order", "frontend"];

    /// <summary>An encoded resource for each instance of each service, in that order.</summary>
    public static ProtobufWriter[] Resources(ref SeededRandom random)
    {
        var resources = new ProtobufWriter[Services.Count * InstancesPerService];
        for (var i = 0; i < resources.Length; i++)
        {
            var (service, instance) = (i / InstancesPerService, i % InstancesPerService);
            var resource = resources[i] = new ProtobufWriter();
            resource.Attribute(1, "service.name", Services[service]);
            resource.Attribute(1, "service.version", $"1.{service % 7}.{instance}");
            resource.Attribute(1, "service.instance.id", $"{random.Next():x16}{random.Next():x16}");
            resource.Attribute(1, "deployment.environment.name", "production");
            resource.Attribute(1, "host.name", $"ip-10-0-{service}-{instance * 17}.eu-west-1.compute.internal");
            resource.Attribute(1, "telemetry.sdk.language", Languages[service % 5]);
            resource.Attribute(1, "telemetry.sdk.name", "opentelemetry");
            resource.Attribute(1, "telemetry.sdk.version", "1.12.0");
        }
        return resources;
    }
}
