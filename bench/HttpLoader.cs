using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Apm.Bench;

/// <summary>Keeps one request in flight on each of N connections. Raw sockets: the loader shares the cores with what it measures, so it must cost little.</summary>
internal static class HttpLoader
{
    /// <param name="Latencies">Milliseconds from sending the first byte to the whole answer, one for each request.</param>
    public sealed record Outcome(long Spans, long Bytes, TimeSpan Elapsed, double[] Latencies, IReadOnlyDictionary<int, long> Statuses);

    /// <param name="next">The next body and its number of spans, or null when there is no more; called from every connection.</param>
    public static Outcome Run(int port, string path, int connections, bool gzip, Func<(ReadOnlyMemory<byte> Body, int Spans)?> next)
    {
        var latencies = new List<double>();
        var statuses = new Dictionary<int, long>();
        long spans = 0, bytes = 0;
        var watch = Stopwatch.StartNew();
        Exception? failure = null;
        var threads = Enumerable.Range(0, connections).Select(_ => new Thread(() =>
        {
            try
            {
                using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                socket.Connect(IPAddress.Loopback, port);
                var answer = new byte[16 << 10];
                while (next() is { } item)
                {
                    var began = Stopwatch.GetTimestamp();
                    socket.Send(Encoding.ASCII.GetBytes($"POST {path} HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/x-protobuf\r\n{(gzip ? "Content-Encoding: gzip\r\n" : "")}Content-Length: {item.Body.Length}\r\n\r\n"));
                    for (var sent = 0; sent < item.Body.Length;)
                    {
                        sent += socket.Send(item.Body.Span[sent..]);
                    }
                    var status = ReadAnswer(socket, answer);
                    var milliseconds = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
                    lock (latencies)
                    {
                        latencies.Add(milliseconds);
                        statuses[status] = statuses.GetValueOrDefault(status) + 1;
                        if (status == 200)
                        {
                            spans += item.Spans;
                            bytes += item.Body.Length;
                        }
                    }
                }
            }
            catch (Exception e)
            {
                failure = e;
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        if (failure is not null)
        {
            throw new InvalidOperationException("a connection failed", failure);
        }
        latencies.Sort();
        return new Outcome(spans, bytes, watch.Elapsed, [.. latencies], statuses);
    }

    private static int ReadAnswer(Socket socket, byte[] buffer)
    {
        var length = 0;
        while (true)
        {
            var read = socket.Receive(buffer.AsSpan(length));
            if (read == 0)
            {
                throw new IOException("the server closed the connection");
            }
            length += read;
            var head = buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8);
            if (head < 0)
            {
                continue;
            }
            var text = Encoding.ASCII.GetString(buffer, 0, head);
            var status = int.Parse(text.AsSpan(9, 3), System.Globalization.CultureInfo.InvariantCulture);
            if (text.Contains("Transfer-Encoding: chunked", StringComparison.OrdinalIgnoreCase))
            {
                if (buffer.AsSpan(0, length).EndsWith("0\r\n\r\n"u8))
                {
                    return status;
                }
                continue;
            }
            var line = text.Split("\r\n").FirstOrDefault(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase));
            var body = line is null ? 0 : int.Parse(line.AsSpan(15), System.Globalization.CultureInfo.InvariantCulture);
            if (length >= head + 4 + body)
            {
                return status;
            }
        }
    }
}
