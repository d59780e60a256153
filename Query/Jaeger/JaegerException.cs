using Microsoft.AspNetCore.Http;

namespace Apm.Query.Jaeger;

/// <summary>A request that Jaeger would refuse: answered with the status and Jaeger's own error shape.</summary>
/// <param name="parameter">What cannot be read, or null where the message says all.</param>
internal sealed class JaegerException(int status, string message, string? parameter = null) : Exception(message)
{
    public int Status { get; } = status;

    /// <summary>The message as the version of the API words it.</summary>
    public string Text(bool v3) => parameter is null ? Message : v3 ? $"malformed parameter {parameter}: {Message}" : $"unable to parse param '{parameter}': {Message}";

    /// <summary>A parameter that cannot be read.</summary>
    public static JaegerException Wrong(string parameter, string message) => new(StatusCodes.Status400BadRequest, message, parameter);

    /// <summary>Parameters that can be read and make no sense.</summary>
    public static JaegerException Invalid(string message) => new(StatusCodes.Status400BadRequest, message);
}
