using Microsoft.AspNetCore.Http;

namespace Apm.Query.Jaeger;

/// <summary>A request that Jaeger would refuse: answered with the status and Jaeger's own error shape.</summary>
internal sealed class JaegerException(int status, string message) : Exception(message)
{
    public int Status { get; } = status;

    public static JaegerException Wrong(string parameter, string message) => new(StatusCodes.Status400BadRequest, $"unable to parse param '{parameter}': {message}");
}
