using System.Globalization;
using Apm.Query.Api;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Apm.Query.Jaeger;

/// <summary>As <see cref="QueryEndpointFilter"/>, with errors in the shape of Jaeger's v1 or v3.</summary>
internal sealed partial class JaegerEndpointFilter(QueryAdmission admission, AnswerMemory memory, ILogger<JaegerEndpointFilter> logger) : IEndpointFilter
{
    /// <summary>nginx's status for a client that closed the request; nobody reads it but the log.</summary>
    private const int ClientClosedRequest = 499;

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        try
        {
            using var turn = await admission.EnterForAsync(http);
            var answer = await next(context);
            await memory.HoldAsync(answer, http);
            return answer;
        }
        catch (JaegerException exception)
        {
            return Error(http, exception.Status, exception.Text(IsV3(http)));
        }
        catch (QueryOverloadException exception)
        {
            http.Response.Headers.RetryAfter = ((int)Math.Ceiling(exception.RetryAfter.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            return Error(http, StatusCodes.Status503ServiceUnavailable, exception.Message);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            return Results.StatusCode(ClientClosedRequest);
        }
        catch (Exception exception)
        {
            LogFailed(logger, http.Request.Path, exception);
            return Error(http, StatusCodes.Status500InternalServerError, "the query failed; the log of the Query role says why");
        }
    }

    private static StreamedJson Error(HttpContext http, int status, string message)
    {
        http.Response.StatusCode = status;
        var v3 = IsV3(http);
        return new StreamedJson(writer =>
        {
            if (v3)
            {
                writer.WriteStartObject();
                writer.WriteStartObject("error"u8);
                writer.WriteNumber("httpCode"u8, status);
                writer.WriteString("message"u8, message);
                writer.WriteEndObject();
                writer.WriteEndObject();
            }
            else
            {
                JaegerEnvelope.Write(writer, static data => data.WriteNullValue(), 0, [(status, message, null)]);
            }
        });
    }

    private static bool IsV3(HttpContext http) => http.Request.Path.Value?.Contains("/api/v3/", StringComparison.Ordinal) == true;

    [LoggerMessage(Level = LogLevel.Error, Message = "A query to {Path} failed.")]
    private static partial void LogFailed(ILogger logger, string path, Exception exception);
}
