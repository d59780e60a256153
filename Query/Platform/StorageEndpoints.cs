using Apm.Query.Api;
using Apm.Query.Json;
using Apm.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Apm.Query.Platform;

/// <summary><c>GET platform/storage</c>: the state of the store in this process. It reads no telemetry, and so waits for no turn.</summary>
internal static class StorageEndpoints
{
    public static void Map(IEndpointRouteBuilder api) =>
        api.MapGet("platform/storage", Get).WithMetadata(new Unqueued()).WithName("GetStorage").WithTags("Platform")
            .WithSummary("Parts, bytes, merging, retention, disk and damaged parts of the store").Produces<StorageAnswer>().ProducesProblem(StatusCodes.Status404NotFound);

    private static IResult Get(HttpContext context) => context.RequestServices.GetService<StoreMonitor>() is { } store
        ? TypedResults.Json(StorageAnswer.From(store.Status), AnswerJson.Default.StorageAnswer)
        : throw new NotFoundException("The store is not in this process: ask the one that holds it.");
}
