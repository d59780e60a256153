using Apm.Collector.Otlp;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Apm.Collector;

/// <summary>
/// Keeps each receiver's port to its protocol: the gRPC port answers gRPC only, the OTLP/HTTP port that and health; the others pass. It looks at the port
/// the connection came in on, which a sender cannot forge, not at the Host header.
/// </summary>
internal static class ReceiverGate
{
    private static readonly PathString[] OtlpHttpPaths = ["/v1", "/v1development", "/health"];

    public static void Use(IApplicationBuilder app, IReadOnlyList<ReceiverPort> receivers, OtlpGrpcReceiver grpc)
    {
        var grpcPort = OpenPort(receivers, ReceiverNames.OtlpGrpc);
        var httpPort = OpenPort(receivers, ReceiverNames.OtlpHttp);
        app.Use((context, next) =>
        {
            var port = context.Connection.LocalPort;
            if (port == grpcPort)
            {
                return grpc.HandleAsync(context);
            }
            if (port == httpPort && !Array.Exists(OtlpHttpPaths, path => context.Request.Path.StartsWithSegments(path, StringComparison.Ordinal)))
            {
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return context.Response.WriteAsync("This port takes OTLP over HTTP: POST /v1/traces or /v1/logs.\n", context.RequestAborted);
            }
            return next(context);
        });
    }

    /// <summary>-1, which no connection has, when the receiver is not open.</summary>
    private static int OpenPort(IReadOnlyList<ReceiverPort> receivers, string name) =>
        receivers.FirstOrDefault(receiver => receiver.Name == name && receiver.State == ReceiverState.Open)?.Port ?? -1;
}
