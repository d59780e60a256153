using Apm.Telemetry;
using Apm.Telemetry.Filters;

namespace Apm.Storage;

/// <param name="Prefix">Keys that start with it; "" = all.</param>
/// <param name="Scope">One scope, or <see cref="FieldScope.Any"/> for all.</param>
public sealed record AttributeNameQuery(TimeRange Range, string Prefix = "", FieldScope Scope = FieldScope.Any, int MaxNames = 1000);

/// <param name="Scope">Record, Resource, InstrumentationScope, Event or Link.</param>
/// <param name="Records">About how many records have it, for ranking.</param>
public sealed record AttributeName(FieldScope Scope, string Key, long Records);
