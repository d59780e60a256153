namespace Apm.Web.Api;

/// <summary>The API did not answer as asked. The message is what it said (the problem's detail), or what kept it from being asked.</summary>
internal sealed class QueryException(QueryFailure failure, string message, QueryProblem? problem = null, Exception? inner = null) : Exception(message, inner)
{
    public QueryFailure Failure { get; } = failure;

    /// <summary>The problem document, where there was one.</summary>
    public QueryProblem? Problem { get; } = problem;
}

internal enum QueryFailure
{
    /// <summary>400: a parameter is wrong; the problem says which and, for a filter, where.</summary>
    BadRequest,
    /// <summary>404.</summary>
    NotFound,
    /// <summary>503: the store is starting.</summary>
    Starting,
    /// <summary>No answer within <see cref="WebOptions.QueryTimeout"/>.</summary>
    Timeout,
    /// <summary>No connection.</summary>
    Unreachable,
    /// <summary>Any other status, or a body that is not what the API documents.</summary>
    Unexpected,
}

/// <summary>RFC 9457, with what the API adds to it for a wrong filter.</summary>
internal sealed record QueryProblem(string? Type, string? Title, int? Status, string? Detail, string? Parameter, int? Line, int? Column, System.Text.Json.JsonElement? Expected)
{
    /// <summary>What could have stood there; the API gives one text or several.</summary>
    public string? ExpectedText => Expected switch
    {
        { ValueKind: System.Text.Json.JsonValueKind.Array } several => string.Join(", ", several.EnumerateArray()),
        { ValueKind: System.Text.Json.JsonValueKind.String } one => one.GetString(),
        _ => null,
    };
}
