using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Apm.Web.Api;

/// <summary>
/// Query's HTTP API for the pages, one method for each answer they need; the parts of this class lie beside their models. Every failure is a <see cref="QueryException"/>;
/// only the reader going away is an <see cref="OperationCanceledException"/>. Safe from any thread.
/// </summary>
internal sealed partial class QueryClient(HttpClient http)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        // The API writes 64-bit times as strings.
        NumberHandling = JsonNumberHandling.AllowReadingFromString | JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>GET /api/v1/{path}; the answer must not be empty.</summary>
    public async Task<T> GetAsync<T>(string path, ApiParameters parameters, CancellationToken cancellationToken) where T : class
    {
        try
        {
            using var response = await http.GetAsync($"/api/v1/{path}{parameters}", HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            if (!response.IsSuccessStatusCode)
                throw await ErrorAsync(response.StatusCode, body, cancellationToken);
            return await JsonSerializer.DeserializeAsync<T>(body, Json, cancellationToken)
                ?? throw new QueryException(QueryFailure.Unexpected, $"GET /api/v1/{path} answered null.");
        }
        catch (HttpRequestException e)
        {
            throw new QueryException(QueryFailure.Unreachable, e.Message, inner: e);
        }
        catch (TaskCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new QueryException(QueryFailure.Timeout, $"GET /api/v1/{path} did not answer within {http.Timeout.TotalSeconds:0} s.", inner: e);
        }
        catch (JsonException e)
        {
            throw new QueryException(QueryFailure.Unexpected, $"GET /api/v1/{path}: {e.Message}", inner: e);
        }
        catch (IOException e)
        {
            throw new QueryException(QueryFailure.Unreachable, e.Message, inner: e);
        }
    }

    private static async Task<QueryException> ErrorAsync(HttpStatusCode status, Stream body, CancellationToken cancellationToken)
    {
        QueryProblem? problem;
        try
        {
            problem = await JsonSerializer.DeserializeAsync<QueryProblem>(body, Json, cancellationToken);
        }
        catch (JsonException)
        {
            // Whoever stands between (a proxy) answers in its own way; the status is then all there is to say.
            problem = null;
        }
        var failure = status switch
        {
            HttpStatusCode.BadRequest => QueryFailure.BadRequest,
            HttpStatusCode.NotFound => QueryFailure.NotFound,
            HttpStatusCode.ServiceUnavailable => QueryFailure.Starting,
            HttpStatusCode.RequestTimeout or HttpStatusCode.GatewayTimeout => QueryFailure.Timeout,
            _ => QueryFailure.Unexpected,
        };
        return new QueryException(failure, problem?.Detail ?? problem?.Title ?? $"HTTP {(int)status}", problem);
    }
}
