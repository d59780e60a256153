using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Apm.Bench;

/// <summary>Peers that hold a server's memory without asking for much: their connections stay open until disposed or until the server has had enough.</summary>
internal sealed class IdlePeers : IDisposable
{
    private readonly List<Socket> _sockets = [];

    public int Open => _sockets.Count(IsOpen);

    /// <summary>Announces a large body and sends only its first bytes.</summary>
    public void AddSlowSender(int port, int announcedBytes, int sentBytes)
    {
        var socket = Connect(port);
        socket.Send(Encoding.ASCII.GetBytes($"POST /v1/traces HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/x-protobuf\r\nContent-Length: {announcedBytes}\r\n\r\n"));
        socket.Send(new byte[sentBytes]);
        _sockets.Add(socket);
    }

    /// <summary>Asks, and reads nothing of the answer.</summary>
    public void AddSlowReader(int port, string path)
    {
        var socket = Connect(port);
        socket.ReceiveBufferSize = 4096;
        socket.Send(Encoding.ASCII.GetBytes($"GET /{path} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"));
        _sockets.Add(socket);
    }

    public void Dispose() => _sockets.ForEach(socket => socket.Dispose());

    private static Socket Connect(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(IPAddress.Loopback, port);
        return socket;
    }

    /// <summary>Readable and nothing to read: closed by the server.</summary>
    private static bool IsOpen(Socket socket) => !(socket.Poll(0, SelectMode.SelectRead) && socket.Available == 0);
}
