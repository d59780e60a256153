using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Apm.Telemetry;

namespace Apm.Bench;

/// <summary>OTLP/HTTP over a raw socket: the loader shares the cores with what it measures, so it must cost little.</summary>
internal sealed class HttpConnection(int port) : IConnection
{
    private readonly byte[] _answer = new byte[16 << 10];
    private Socket? _socket;

    public Answer Send(Signal signal, ReadOnlyMemory<byte> body, bool gzip)
    {
        try
        {
            _socket ??= Connect();
            _socket.Send(Head(signal, body.Length, gzip));
            for (var sent = 0; sent < body.Length;)
            {
                sent += _socket.Send(body.Span[sent..]);
            }
            return ReadAnswer(_socket);
        }
        catch (SocketException e)
        {
            Dispose();
            throw new IOException(e.Message, e);
        }
        catch (IOException)
        {
            Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _socket?.Dispose();
        _socket = null;
    }

    private byte[] Head(Signal signal, int length, bool gzip) => Encoding.ASCII.GetBytes(
        $"POST /v1/{(signal == Signal.Logs ? "logs" : "traces")} HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/x-protobuf\r\n{(gzip ? "Content-Encoding: gzip\r\n" : "")}Content-Length: {length}\r\n\r\n");

    private Socket Connect()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.Connect(IPAddress.Loopback, port);
            return socket;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new ConnectException(e.Message, e);
        }
    }

    private Answer ReadAnswer(Socket socket)
    {
        for (var length = 0; ;)
        {
            var read = socket.Receive(_answer.AsSpan(length));
            if (read == 0)
            {
                throw new IOException("the server closed the connection");
            }
            length += read;
            var head = _answer.AsSpan(0, length).IndexOf("\r\n\r\n"u8);
            if (head < 0)
            {
                continue;
            }
            var text = Encoding.ASCII.GetString(_answer, 0, head);
            var body = Header(text, "Content-Length") is { } announced ? int.Parse(announced, CultureInfo.InvariantCulture) : 0;
            if (length < head + 4 + body)
            {
                continue;
            }
            if (text.Contains("\r\nConnection: close", StringComparison.OrdinalIgnoreCase))
            {
                Dispose();
            }
            return Parse(text);
        }
    }

    private static Answer Parse(string head)
    {
        var status = int.Parse(head.AsSpan(9, 3), CultureInfo.InvariantCulture);
        var retryAfter = Header(head, "Retry-After") is { } seconds ? TimeSpan.FromSeconds(int.Parse(seconds, CultureInfo.InvariantCulture)) : (TimeSpan?)null;
        return new Answer(status switch { 200 => AnswerKind.Accepted, 429 or 503 when retryAfter is not null => AnswerKind.Refused, _ => AnswerKind.Failed }, status, retryAfter);
    }

    private static string? Header(string head, string name)
    {
        var at = head.IndexOf($"\r\n{name}:", StringComparison.OrdinalIgnoreCase);
        return at < 0 ? null : head[(at + name.Length + 3)..].Split("\r\n", 2)[0].Trim();
    }
}
