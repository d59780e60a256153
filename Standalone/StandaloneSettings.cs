using System.ComponentModel.DataAnnotations;
using Apm.Collector;
using Apm.DurableBuffer.Embedded;
using Apm.Ingester;
using Apm.Query;
using Apm.ServiceDefaults.Settings;
using Apm.Storage.Embedded;
using Apm.Storage.Embedded.Retention;
using Apm.Web;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using ListenOptions = Apm.ServiceDefaults.Settings.ListenOptions;

namespace Apm.Standalone;

/// <summary>Section <c>Data</c>.</summary>
internal sealed class DataOptions
{
    /// <summary>Absent: <c>apm</c> in the user's local application data folder.</summary>
    public string? Directory { get; init; }

    public string FullPath => Path.GetFullPath(Directory ?? Path.Combine(
        Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "apm"));
}

/// <summary>Section <c>Demo</c>: the shop that runs beside the platform.</summary>
internal sealed class DemoOptions
{
    public bool Enabled { get; init; }

    /// <summary>The shop's control page; its services listen on the ports after it.</summary>
    [Range(1, 65000)]
    public int PortBase { get; init; } = 9700;

    [Range(0.1, 1000.0)]
    public double RequestsPerSecond { get; init; } = 20;

    /// <summary>When payments v2.14.0 is rolled out by itself, so that there is something to find; a year, to never see it.</summary>
    public TimeSpan? StoryAfter { get; init; } = TimeSpan.FromMinutes(2);
}

/// <summary>Every setting of the process, checked. Immutable.</summary>
internal sealed record StandaloneSettings(ListenOptions Listen, DataOptions Data, DemoOptions Demo, CollectorOptions Collector, ReceiverOptions OtlpGrpc, OtlpHttpReceiverOptions OtlpHttp)
{
    /// <summary>The name of the port for UI, API and health.</summary>
    public const string MainPort = "Main";

    /// <exception cref="SettingsException">Settings are wrong: a line for each.</exception>
    public static StandaloneSettings Read(IConfiguration configuration, Arguments arguments)
    {
        var check = new SettingsCheck(configuration);
        var settings = new StandaloneSettings(
            check.Read<ListenOptions>(ListenOptions.Section),
            check.Read<DataOptions>("Data"),
            check.Read<DemoOptions>("Demo"),
            check.Read<CollectorOptions>("Collector"),
            check.Read<ReceiverOptions>($"Receivers:{ReceiverNames.OtlpGrpc}"),
            check.Read<OtlpHttpReceiverOptions>($"Receivers:{ReceiverNames.OtlpHttp}"));
        foreach (var error in settings.Collector.Errors())
        {
            check.Add(error);
        }
        ListenRules.Check(check, settings.Listen, check.Read<SecurityOptions>(SecurityOptions.Section));
        // These validate themselves when they are used; read here so that unknown keys and unreadable values are named with the rest.
        check.Read<EmbeddedBufferOptions>(EmbeddedBufferOptions.Section);
        check.Read<IngesterOptions>(IngesterOptions.Section);
        check.Read<EmbeddedStoreOptions>(EmbeddedStoreOptions.Section);
        RetentionOptions.Read(configuration, check.Add);
        check.Allow(RetentionOptions.Section, [.. RetentionOptions.Names]);
        check.Allow($"{RetentionOptions.Section}:{nameof(RetentionOptions.Spans)}", [.. RetentionOptions.SignalNames]);
        check.Allow($"{RetentionOptions.Section}:{nameof(RetentionOptions.Logs)}", [.. RetentionOptions.SignalNames]);
        check.Read<QueryOptions>(QueryOptions.Section);
        check.Read<WebOptions>("Web");
        check.ThrowIfWrong(arguments.Settings.Select(setting => setting.Key), "Logging");
        return settings;
    }

    /// <summary>The main port and those of the receivers that are enabled. A receiver's port is required when it was set explicitly.</summary>
    public IEnumerable<PortRequest> Ports()
    {
        yield return new PortRequest(MainPort, Listen.Port, HttpProtocols.Http1, IsRequired: true, "Listen:Port");
        if (OtlpGrpc.Enabled)
        {
            yield return Receiver(ReceiverNames.OtlpGrpc, OtlpGrpc, ReceiverNames.OtlpGrpcDefaultPort, HttpProtocols.Http2);
        }
        if (OtlpHttp.Enabled)
        {
            yield return Receiver(ReceiverNames.OtlpHttp, OtlpHttp, ReceiverNames.OtlpHttpDefaultPort, HttpProtocols.Http1);
        }
    }

    /// <summary>What became of each receiver.</summary>
    public IReadOnlyList<ReceiverPort> Receivers(PortBindings bindings)
    {
        return [Find(ReceiverNames.OtlpGrpc, OtlpGrpc, ReceiverNames.OtlpGrpcDefaultPort), Find(ReceiverNames.OtlpHttp, OtlpHttp, ReceiverNames.OtlpHttpDefaultPort)];

        ReceiverPort Find(string name, ReceiverOptions options, int defaultPort)
        {
            var bound = bindings.Ports.FirstOrDefault(port => port.Name == name);
            return bound is null ? new ReceiverPort(name, options.Port ?? defaultPort, ReceiverState.Closed, $"Receivers:{name}:Enabled is false")
                : new ReceiverPort(name, bound.Port, bound.Failure is null ? ReceiverState.Open : ReceiverState.Failed, bound.Failure);
        }
    }

    private static PortRequest Receiver(string name, ReceiverOptions options, int defaultPort, HttpProtocols protocols) =>
        new(name, options.Port ?? defaultPort, protocols, options.Port is not null, $"Receivers:{name}:Port");
}
