using Apm.Telemetry.Filters;

namespace Apm.Query.Api;

/// <summary>A parameter of a request is wrong: answered 400 with its name.</summary>
public sealed class ParameterException(string parameter, string message, FilterSyntaxException? syntax = null) : Exception(message, syntax)
{
    public string Parameter { get; } = parameter;

    /// <summary>Set when the parameter is a filter or a field: says where in it the mistake is.</summary>
    public FilterSyntaxException? Syntax { get; } = syntax;
}
