using System.Globalization;
using Apm.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Apm.Query.Api;

/// <summary>Runs every endpoint of the API within <see cref="QueryAdmission"/>, and turns what it throws into problem documents (RFC 9457).</summary>
internal sealed partial class QueryEndpointFilter(QueryAdmission admission, AnswerMemory memory, ILogger<QueryEndpointFilter> logger) : IEndpointFilter
{
    /// <summary>nginx's status for a client that closed the request; nobody reads it but the log.</summary>
    private const int ClientClosedRequest = 499;

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        try
        {
            if (http.GetEndpoint()?.Metadata.GetMetadata<Unqueued>() is not null)
            {
                return await next(context);
            }
            using var turn = await admission.EnterForAsync(http);
            var answer = await next(context);
            await memory.HoldAsync(answer, http);
            return answer;
        }
        catch (ParameterException exception)
        {
            return WrongParameter(exception);
        }
        catch (NotFoundException exception)
        {
            return Results.Problem(exception.Message, statusCode: StatusCodes.Status404NotFound, title: "Not found");
        }
        catch (QueryOverloadException exception)
        {
            http.Response.Headers.RetryAfter = ((int)Math.Ceiling(exception.RetryAfter.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            return Results.Problem(exception.Message, statusCode: StatusCodes.Status503ServiceUnavailable, title: "Busy");
        }
        catch (StoreClosedException exception)
        {
            return Results.Problem(exception.Message, statusCode: StatusCodes.Status503ServiceUnavailable, title: "Shutting down");
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            return Results.StatusCode(ClientClosedRequest);
        }
        catch (Exception exception)
        {
            LogFailed(logger, http.Request.Path, exception);
            return Results.Problem("The query failed; the log of the Query role says why.", statusCode: StatusCodes.Status500InternalServerError, title: "Internal error");
        }
    }

    private static IResult WrongParameter(ParameterException exception)
    {
        var extensions = new Dictionary<string, object?> { ["parameter"] = exception.Parameter };
        if (exception.Syntax is { } syntax)
        {
            extensions["line"] = syntax.Line;
            extensions["column"] = syntax.Column;
            extensions["expected"] = new[] { syntax.Expected };
        }
        return Results.Problem(
            $"{exception.Parameter}: {exception.Syntax?.Problem ?? exception.Message}", statusCode: StatusCodes.Status400BadRequest, title: "Wrong parameter", extensions: extensions);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A query to {Path} failed.")]
    private static partial void LogFailed(ILogger logger, string path, Exception exception);
}

/// <summary>Endpoint metadata: takes no turn for the whole request, as it lasts as long as its viewer looks, or reads nothing.</summary>
internal sealed class Unqueued;
