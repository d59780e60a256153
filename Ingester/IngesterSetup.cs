using Apm.DurableBuffer;
using Apm.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Apm.Ingester;

public static class IngesterSetup
{
    /// <summary>
    /// Adds the Ingester, which needs <see cref="IBufferReader"/>, <see cref="ISpanStore"/> and <see cref="ILogStore"/>, and uses <see cref="IBufferWriter"/>
    /// when it is there. Settings come from the section "Ingester" and are checked at start.
    /// </summary>
    public static IServiceCollection AddIngester(this IServiceCollection services)
    {
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<IngesterOptions>().BindConfiguration(IngesterOptions.Section).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<IngesterOptions>, IngesterOptionsValidator>());
        services.TryAddSingleton<IngesterMetrics>();
        services.TryAddSingleton(provider => new IngestLoop(
            provider.GetRequiredService<IBufferReader>(),
            provider.GetRequiredService<ISpanStore>(),
            provider.GetRequiredService<ILogStore>(),
            provider.GetRequiredService<IOptions<IngesterOptions>>(),
            provider.GetRequiredService<IngesterMetrics>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<IngestLoop>>(),
            provider.GetService<IBufferWriter>()));
        services.AddHostedService(provider => provider.GetRequiredService<IngestLoop>());
        services.AddHealthChecks().AddCheck<IngesterHealth>("ingester");
        return services;
    }
}
