namespace Apm.Telemetry.Filters;

/// <summary>What one side of a comparison reads from a record, or what an aggregation groups by.</summary>
/// <param name="Scope">Where to look.</param>
/// <param name="Key">The attribute's key; "" for an intrinsic.</param>
/// <param name="Intrinsic">Set exactly when <paramref name="Scope"/> is <see cref="FieldScope.Intrinsic"/>.</param>
public sealed record Field(FieldScope Scope, string Key, Intrinsic Intrinsic)
{
    /// <summary>service.name of the resource.</summary>
    public static readonly Field ServiceName = Attribute(FieldScope.Resource, "service.name");

    public static Field Of(Intrinsic intrinsic) => new(FieldScope.Intrinsic, "", intrinsic);

    public static Field Attribute(FieldScope scope, string key) => new(scope, key, Intrinsic.None);

    /// <summary>As a filter on spans writes it; see <see cref="FieldFormatter"/>.</summary>
    public override string ToString() => Scope == FieldScope.Intrinsic && Intrinsic == Intrinsic.None ? "" : FieldFormatter.Format(this, Signal.Traces);
}
