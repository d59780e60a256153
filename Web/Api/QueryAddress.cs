using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;

namespace Apm.Web.Api;

/// <summary>Where the API is: as configured, or this host's own HTTP address over loopback, which is known once it listens.</summary>
internal sealed class QueryAddress(IOptions<WebOptions> options, IServer server)
{
    public Uri Resolve()
    {
        if (options.Value.QueryAddress is { } configured)
            return configured;
        var addresses = server.Features.Get<IServerAddressesFeature>()?.Addresses ?? [];
        foreach (var address in addresses)
        {
            if (!address.StartsWith("http://", StringComparison.OrdinalIgnoreCase))
                continue;
            var port = address[(address.LastIndexOf(':') + 1)..].TrimEnd('/');
            var host = address["http://".Length..].Split(':', '/')[0];
            // "[::1]" is cut by Split; any address that is not a plain name or number is reached through loopback.
            var reachable = host is "+" or "*" or "0.0.0.0" or "" or "localhost" || host.StartsWith('[') ? "127.0.0.1" : host;
            if (address.Contains("[::1]", StringComparison.Ordinal))
                reachable = "[::1]";
            return new Uri($"http://{reachable}:{port}");
        }
        throw new InvalidOperationException("Web:QueryAddress is not set, and this host has no HTTP address of its own.");
    }
}
