using System.Diagnostics.Metrics;
using Apm.Storage.Embedded.Retention;
using Apm.Telemetry.Files;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Apm.Storage.Embedded;

/// <summary>Adds the embedded store to a host.</summary>
public static class EmbeddedStoreRegistration
{
    /// <summary>The folder of the store below the data directory.</summary>
    public const string FolderName = "store";

    /// <summary>
    /// Registers one engine as <see cref="ISpanStore"/> and <see cref="ILogStore"/>, a <see cref="StoreMonitor"/> of it, its options from sections <c>Storage</c> and <c>Retention</c>, checked at start, and
    /// the health check <c>store</c>. The host holds
    /// the lock on the data directory; disposing the host's services seals what is in memory.
    /// </summary>
    public static IServiceCollection AddEmbeddedStore(this IServiceCollection services, IConfiguration configuration, string dataDirectory)
    {
        services.AddOptions<EmbeddedStoreOptions>().Bind(configuration.GetSection(EmbeddedStoreOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<EmbeddedStoreOptions>, OptionsCheck>();
        services.TryAddSingleton(TimeProvider.System);
        var errors = new List<string>();
        var retention = RetentionOptions.Read(configuration, errors.Add);
        if (errors.Count > 0)
        {
            throw new OptionsValidationException(RetentionOptions.Section, typeof(RetentionOptions), errors);
        }
        services.AddSingleton(provider => EmbeddedEngine.Open(
            new DiskFileSystem(dataDirectory),
            FolderName,
            provider.GetRequiredService<IOptions<EmbeddedStoreOptions>>().Value,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<EmbeddedEngine>>(),
            provider.GetService<IMeterFactory>(),
            retention));
        services.AddSingleton<ISpanStore>(static provider => new EmbeddedSpanStore(provider.GetRequiredService<EmbeddedEngine>()));
        services.AddSingleton<ILogStore>(static provider => new EmbeddedLogStore(provider.GetRequiredService<EmbeddedEngine>()));
        services.AddSingleton(static provider => new StoreMonitor(provider.GetRequiredService<EmbeddedEngine>().Status));
        services.AddHealthChecks().AddCheck<StoreHealth>("store");
        return services;
    }

    /// <summary>Says why new data is refused now, or null: asked by the buffer before it takes anything.</summary>
    public static Func<string?> EmbeddedStoreRefusal(this IServiceProvider provider)
    {
        var engine = provider.GetRequiredService<EmbeddedEngine>();
        return () => engine.Refusal;
    }

    /// <summary>Every append of either signal up to this position is in the embedded store's parts: what the buffer may have forgotten at start.</summary>
    public static long EmbeddedStoreCoveredPosition(this IServiceProvider provider) => provider.GetRequiredService<EmbeddedEngine>().CoveredByAll;

    private sealed class OptionsCheck : IValidateOptions<EmbeddedStoreOptions>
    {
        public ValidateOptionsResult Validate(string? name, EmbeddedStoreOptions options) =>
            options.Validate() is { Count: > 0 } errors ? ValidateOptionsResult.Fail(errors) : ValidateOptionsResult.Success;
    }
}
