using Apm.Query.Api;
using Apm.Query.Attributes;
using Apm.Query.Jaeger;
using Apm.Query.Json;
using Apm.Query.Logs;
using Apm.Query.Platform;
using Apm.Query.Services;
using Apm.Query.Spans;
using Apm.Query.Traces;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Apm.Query;

/// <summary>Adds the Query role to a host: it needs an <see cref="Storage.ISpanStore"/> and an <see cref="Storage.ILogStore"/> among the services.</summary>
public static class QueryApi
{
    /// <summary>Prefix of Query's own API.</summary>
    public const string Prefix = "/api/v1";

    public static IServiceCollection AddQuery(this IServiceCollection services)
    {
        services.AddOptions<QueryOptions>().BindConfiguration(QueryOptions.Section).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<QueryOptions>, QueryOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<QueryAdmission>();
        services.TryAddSingleton<AnswerMemory>();
        services.AddHttpContextAccessor();
        services.TryAddSingleton<QueryRunFactory>();
        services.TryAddSingleton<LogTail>();
        // For the OpenAPI document, which describes types as the host's options would write them.
        services.ConfigureHttpJsonOptions(options =>
        {
            options.SerializerOptions.Converters.Add(new AttributeValueConverter());
            options.SerializerOptions.Converters.Add(new UnixNanoConverter());
        });
        services.AddOpenApi(OpenApiDocuments.Configure);
        return services;
    }

    /// <summary>Maps <c>/api/v1</c> and the peers' APIs under their own prefixes. The OpenAPI document is mapped by the host, as it covers other roles' paths too.</summary>
    public static IEndpointConventionBuilder MapQueryApi(this IEndpointRouteBuilder endpoints)
    {
        var api = endpoints.MapGroup(Prefix).AddEndpointFilter<QueryEndpointFilter>().ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        ServiceEndpoints.Map(api);
        OperationEndpoints.Map(api);
        DependencyEndpoints.Map(api);
        TraceEndpoints.Map(api);
        RedEndpoints.Map(api);
        HeatmapEndpoints.Map(api);
        FacetEndpoints.Map(api);
        CompareEndpoints.Map(api);
        LogEndpoints.Map(api);
        AttributeEndpoints.Map(api);
        FilterEndpoints.Map(api);
        StorageEndpoints.Map(api);
        JaegerEndpoints.Map(endpoints);
        return api;
    }

    private sealed class QueryOptionsValidator : IValidateOptions<QueryOptions>
    {
        public ValidateOptionsResult Validate(string? name, QueryOptions options)
        {
            var errors = options.Errors().ToArray();
            return errors.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
        }
    }
}
