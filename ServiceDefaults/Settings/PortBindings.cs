using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;

namespace Apm.ServiceDefaults.Settings;

/// <summary>A port that a host wants.</summary>
/// <param name="Setting">The key that moves it, for messages.</param>
/// <param name="IsRequired">The start fails when it is taken.</param>
public sealed record PortRequest(string Name, int Port, HttpProtocols Protocols, bool IsRequired, string Setting);

/// <summary>A port as it was found.</summary>
/// <param name="Port">The real one, also when any free one was asked for.</param>
/// <param name="Failure">Why it is not open, or null.</param>
public sealed record BoundPort(string Name, int Port, string? Failure);

/// <summary>
/// The process's listening sockets, bound before anything is built: whether a port is free is known by having it, so nothing can take it between a look and
/// the start, and the real number of port 0 is known to whoever needs its own address. Kestrel is given the sockets and owns them from its start on; until
/// then <see cref="Dispose"/> closes them. Connections made before the server runs wait in the backlog. Used at start, by one thread.
/// </summary>
public sealed class PortBindings : IDisposable
{
    /// <summary>Connections waiting to be accepted: Kestrel's own default.</summary>
    private const int Backlog = 512;

    private readonly Dictionary<string, Socket> _sockets = [];
    private readonly List<(IPEndPoint EndPoint, HttpProtocols Protocols)> _listen = [];
    private readonly List<BoundPort> _ports = [];

    private PortBindings()
    {
    }

    public IReadOnlyList<BoundPort> Ports => _ports;

    /// <exception cref="SettingsException">Required ports are taken, or the address is not one of this machine's: a line for each.</exception>
    public static PortBindings Open(ListenOptions listen, IEnumerable<PortRequest> requests)
    {
        var bindings = new PortBindings();
        var errors = new List<string>();
        foreach (var request in requests)
        {
            var (port, failure) = bindings.TryOpen(listen, request);
            bindings._ports.Add(new BoundPort(request.Name, port, failure));
            if (failure is not null && request.IsRequired)
            {
                errors.Add($"{request.Setting}: {failure}.");
            }
        }
        if (errors.Count > 0)
        {
            bindings.Dispose();
            throw new SettingsException(errors);
        }
        return bindings;
    }

    /// <summary>Makes the web host listen on these sockets and nothing else.</summary>
    public void Use(IWebHostBuilder host)
    {
        host.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            foreach (var (endPoint, protocols) in _listen)
            {
                kestrel.Listen(endPoint, options => options.Protocols = protocols);
            }
        });
        host.ConfigureServices(services => services.Configure<SocketTransportOptions>(transport => transport.CreateBoundListenSocket = Take));
    }

    public void Dispose()
    {
        foreach (var socket in _sockets.Values)
        {
            socket.Dispose();
        }
        _sockets.Clear();
    }

    private Socket Take(EndPoint endPoint) => _sockets.Remove(endPoint.ToString() ?? "", out var socket)
        ? socket
        : throw new InvalidOperationException($"no socket was bound to {endPoint}");

    private (int Port, string? Failure) TryOpen(ListenOptions listen, PortRequest request)
    {
        var port = request.Port;
        var opened = new List<Socket>();
        foreach (var address in Addresses(listen))
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                if (address.Equals(IPAddress.IPv6Any))
                {
                    socket.DualMode = true;
                }
                socket.Bind(new IPEndPoint(address, port));
                socket.Listen(Backlog);
            }
            catch (SocketException e)
            {
                socket.Dispose();
                // A machine without IPv6 has one loopback address, and that is enough.
                if (opened.Count > 0 && e.SocketErrorCode is SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported)
                {
                    continue;
                }
                opened.ForEach(other => other.Dispose());
                return (port, Describe(e, address, port));
            }
            opened.Add(socket);
            port = ((IPEndPoint)socket.LocalEndPoint!).Port;
        }
        foreach (var socket in opened)
        {
            var endPoint = (IPEndPoint)socket.LocalEndPoint!;
            _sockets.Add(endPoint.ToString(), socket);
            _listen.Add((endPoint, request.Protocols));
        }
        return (port, null);
    }

    private static string Describe(SocketException exception, IPAddress address, int port)
    {
        var endPoint = new IPEndPoint(address, port);
        return exception.SocketErrorCode switch
        {
            SocketError.AddressAlreadyInUse => $"port {port} is taken by another process ({endPoint}); stop it, or set another port",
            SocketError.AccessDenied => $"port {port} may not be opened by this user ({endPoint}); set a port above 1023",
            SocketError.AddressNotAvailable => $"{address} is not an address of this machine",
            _ => $"{endPoint} cannot be opened: {exception.Message}",
        };
    }

    private static IEnumerable<IPAddress> Addresses(ListenOptions listen) => listen.Address switch
    {
        null => Socket.OSSupportsIPv6 ? [IPAddress.Loopback, IPAddress.IPv6Loopback] : [IPAddress.Loopback],
        _ when listen.Address.Equals("localhost", StringComparison.OrdinalIgnoreCase) => Socket.OSSupportsIPv6 ? [IPAddress.Loopback, IPAddress.IPv6Loopback] : [IPAddress.Loopback],
        "*" or "+" => [Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any],
        _ => [IPAddress.Parse(listen.Address)],
    };
}
