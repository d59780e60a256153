using Microsoft.AspNetCore.Http;

namespace Apm.Collector.Admission;

internal static class Peer
{
    /// <summary>Address and port of the sender, or null when the transport has none.</summary>
    public static string? Of(HttpContext context)
    {
        var address = context.Connection.RemoteIpAddress;
        return address is null ? null : new System.Net.IPEndPoint(address, context.Connection.RemotePort).ToString();
    }
}
