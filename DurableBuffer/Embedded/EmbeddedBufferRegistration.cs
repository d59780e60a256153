using System.Diagnostics.Metrics;
using Apm.Telemetry.Files;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Apm.DurableBuffer.Embedded;

/// <summary>Adds the embedded buffer to a host.</summary>
public static class EmbeddedBufferRegistration
{
    /// <summary>The folder of the log below the data directory.</summary>
    public const string FolderName = "buffer";

    /// <summary>
    /// Registers one <see cref="EmbeddedBuffer"/> as <see cref="IBufferWriter"/> and <see cref="IBufferReader"/>, its options from section <c>Buffer</c>, checked at start,
    /// and the health check <c>buffer</c>. The host holds a <see cref="DataDirectoryLock"/> on the directory.
    /// </summary>
    /// <param name="coveredPosition">The position up to which storage holds everything durably: the lowest of its stores.</param>
    /// <param name="refusal">Gives what says why nothing may be appended now; null: nothing ever does.</param>
    public static IServiceCollection AddEmbeddedBuffer(
        this IServiceCollection services, IConfiguration configuration, string dataDirectory, Func<IServiceProvider, long> coveredPosition,
        Func<IServiceProvider, Func<string?>>? refusal = null)
    {
        services.AddOptions<EmbeddedBufferOptions>().Bind(configuration.GetSection(EmbeddedBufferOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<EmbeddedBufferOptions>, OptionsCheck>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(provider => EmbeddedBuffer.Open(
            new DiskFileSystem(dataDirectory),
            FolderName,
            provider.GetRequiredService<IOptions<EmbeddedBufferOptions>>().Value,
            coveredPosition(provider),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<EmbeddedBuffer>>(),
            provider.GetService<IMeterFactory>(),
            refusal?.Invoke(provider)));
        services.AddSingleton<IBufferWriter>(static provider => provider.GetRequiredService<EmbeddedBuffer>());
        services.AddSingleton<IBufferReader>(static provider => provider.GetRequiredService<EmbeddedBuffer>());
        services.AddHealthChecks().AddCheck<BufferHealth>("buffer");
        return services;
    }

    private sealed class OptionsCheck : IValidateOptions<EmbeddedBufferOptions>
    {
        public ValidateOptionsResult Validate(string? name, EmbeddedBufferOptions options) =>
            options.Validate() is { Count: > 0 } errors ? ValidateOptionsResult.Fail(errors) : ValidateOptionsResult.Success;
    }
}
