using System.Text.Json.Serialization;
using Apm.Query.Attributes;
using Apm.Query.Logs;
using Apm.Query.Platform;
using Apm.Query.Services;
using Apm.Query.Spans;
using Apm.Query.Traces;

namespace Apm.Query.Json;

/// <summary>The answers that are small enough to be built before they are written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(AttributeValueConverter), typeof(UnixNanoConverter)])]
[JsonSerializable(typeof(ScanAnswer))]
[JsonSerializable(typeof(ServicesAnswer))]
[JsonSerializable(typeof(OperationsAnswer))]
[JsonSerializable(typeof(DependenciesAnswer))]
[JsonSerializable(typeof(TracesAnswer))]
[JsonSerializable(typeof(RedAnswer))]
[JsonSerializable(typeof(HeatmapAnswer))]
[JsonSerializable(typeof(FacetsAnswer))]
[JsonSerializable(typeof(CompareAnswer))]
[JsonSerializable(typeof(LogHistogramAnswer))]
[JsonSerializable(typeof(AttributeNamesAnswer))]
[JsonSerializable(typeof(AttributeValuesAnswer))]
[JsonSerializable(typeof(FilterCompletionAnswer))]
[JsonSerializable(typeof(FilterParseAnswer))]
[JsonSerializable(typeof(StorageAnswer))]
internal sealed partial class AnswerJson : JsonSerializerContext;
