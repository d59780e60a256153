using System.Text.Json;
using Apm.ServiceDefaults.Health;
using Apm.ServiceDefaults.Settings;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace Apm.ServiceDefaults;

/// <summary>What every host does alike.</summary>
public static class ServiceHost
{
    /// <summary>Requests that are being answered, and what the roles hold in memory, get this long at shutdown.</summary>
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(20);

    /// <summary>Bytes of a request to an endpoint that sets no bound of its own: none of ours takes a large body.</summary>
    private const long MaxRequestBodyBytes = 1 << 20;

    /// <summary>
    /// Bytes of one connection that are received and not yet read by what answers it. Kestrel's own 1 MiB would let connections hold gigabytes when the processor is short:
    /// at 256 KiB a large body still arrives in few pieces.
    /// </summary>
    private const long MaxRequestBufferBytes = 256 << 10;

    /// <summary>The same for all streams of one HTTP/2 connection together: a sender waits until what it has sent is read.</summary>
    private const int Http2ConnectionWindowBytes = 512 << 10;

    /// <summary>And for one stream of it.</summary>
    private const int Http2StreamWindowBytes = 256 << 10;

    /// <summary>Connections open at once; further ones are closed. Together with the buffers above it bounds what connections alone can hold: 1 GiB, if all of them were full.</summary>
    private const long MaxConnections = 4_000;

    /// <summary>A builder whose settings come from appsettings.json beside the program, then environment variables, then the command line.</summary>
    /// <param name="arguments">Settings of the command line.</param>
    public static WebApplicationBuilder CreateBuilder(string name, IEnumerable<KeyValuePair<string, string?>> arguments)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            ApplicationName = name,
            ContentRootPath = AppContext.BaseDirectory,
            EnvironmentName = Environments.Production,
        });
        var configuration = (IConfigurationBuilder)builder.Configuration;
        configuration.Sources.Clear();
        builder.Configuration
            .AddJsonFile(Path.Combine(AppContext.BaseDirectory, "appsettings.json"), optional: true, reloadOnChange: false)
            .AddEnvironmentVariables()
            .AddInMemoryCollection(arguments);
        return builder;
    }

    public static void AddServiceDefaults(this WebApplicationBuilder builder, ListenOptions listen)
    {
        builder.Logging.ClearProviders();
        builder.Logging.AddConfiguration(builder.Configuration.GetSection("Logging"));
        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
            console.UseUtcTimestamp = true;
            console.ColorBehavior = LoggerColorBehavior.Default;
        });
        var services = builder.Services;
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<MeterSnapshot>();
        services.AddProblemDetails();
        services.AddHealthChecks();
        services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownTimeout);
        services.Configure<HostFilteringOptions>(filter => filter.AllowedHosts = AllowedHosts(listen));
        services.Configure<Microsoft.AspNetCore.Server.Kestrel.Core.KestrelServerOptions>(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = MaxRequestBodyBytes;
            kestrel.Limits.MaxRequestBufferSize = MaxRequestBufferBytes;
            kestrel.Limits.MaxConcurrentConnections = MaxConnections;
            kestrel.Limits.Http2.InitialConnectionWindowSize = Http2ConnectionWindowBytes;
            kestrel.Limits.Http2.InitialStreamWindowSize = Http2StreamWindowBytes;
        });
    }

    /// <summary>First of all middleware: an unhandled error becomes a problem document, and every answer has the security headers.</summary>
    public static void UseServiceDefaults(this WebApplication app)
    {
        // Listens from here on, also to what is counted before the first look.
        var meters = app.Services.GetRequiredService<MeterSnapshot>();
        app.UseExceptionHandler();
        SecurityHeaders.Use(app);
        HealthEndpoints.Map(app);
        app.MapGet("/api/v1/platform/metrics", async (HttpContext context) =>
        {
            context.Response.ContentType = "application/json";
            await using var json = new Utf8JsonWriter(context.Response.BodyWriter);
            meters.Write(json);
            await json.FlushAsync(context.RequestAborted);
        }).WithSummary("The platform's own counters, as they are now");
    }

    /// <summary>
    /// Runs a host's main program; settings that are wrong end it with a line for each on standard error and exit code 2.
    /// </summary>
    public static async Task<int> RunAsync(Func<Task<int>> program)
    {
        try
        {
            return await program();
        }
        catch (SettingsException e)
        {
            return await RefuseAsync(e.Errors);
        }
        catch (OptionsValidationException e)
        {
            return await RefuseAsync(e.Failures);
        }
    }

    private static async Task<int> RefuseAsync(IEnumerable<string> errors)
    {
        foreach (var error in errors)
        {
            await Console.Error.WriteLineAsync($"error: {error}");
        }
        return SettingsException.ExitCode;
    }

    /// <summary>
    /// On loopback a page of another site could reach us under its own name (DNS rebinding), so a request must name loopback. Open to other machines, names are
    /// the operator's business.
    /// </summary>
    private static string[] AllowedHosts(ListenOptions listen) => listen.AllowedHosts.Length > 0
        ? [.. listen.AllowedHosts, "localhost", "127.0.0.1", "[::1]"]
        : listen.IsLoopback ? ["localhost", "127.0.0.1", "[::1]"] : ["*"];
}
