using System.Net.Sockets;

namespace Apm.Shop;

/// <summary>Gives the services the host names they would have in production (cart.shop.internal, api.bank.example), all on loopback ports.</summary>
internal sealed class ShopNetwork(IReadOnlyDictionary<string, int> ports)
{
    private IReadOnlyDictionary<string, int> _ports = ports;

    /// <summary>New connections go here from now on; those that are open end with the process at their other end.</summary>
    public void Move(IReadOnlyDictionary<string, int> ports) => Volatile.Write(ref _ports, ports);

    public const string BankHost = "api.bank.example";

    public SocketsHttpHandler CreateHandler() => new()
    {
        UseCookies = false,
        UseProxy = false,
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        ConnectCallback = async (context, cancellationToken) =>
        {
            var host = context.DnsEndPoint.Host;
            var role = host == BankHost ? "bank" : host.Split('.')[0];
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync("127.0.0.1", Volatile.Read(ref _ports).TryGetValue(role, out var port) ? port : context.DnsEndPoint.Port, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        },
    };

    public static Uri UriOf(string role) => new($"http://{role}.shop.internal/");
}
