using System.Buffers;
using System.Text;
using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Otlp;

namespace Apm.Query.Tests.Jaeger;

/// <summary>Two traces of three services, and a span without a service, as OTLP/JSON. Times are seconds after 2026-01-01T00:00:00Z, the clock stands at the minute after.</summary>
internal static class JaegerSample
{
    public const string Orders = "5b8efff798038103d269b633813fc60c";

    /// <summary>The high half is zero: Jaeger prints 16 digits.</summary>
    public const string Job = "00000000000000000000000000abcdef";

    public const string Lonely = "00000000000000010000000000000002";

    private const string Json = """
        {"resourceSpans":[
          {"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"front"}},{"key":"host.cpus","value":{"intValue":"4"}}],"droppedAttributesCount":1},
           "schemaUrl":"https://opentelemetry.io/schemas/1.38.0",
           "scopeSpans":[{"scope":{"name":"shop","version":"0.9","attributes":[{"key":"scope.team","value":{"stringValue":"blue"}}]},"schemaUrl":"https://scope","spans":[
             {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","traceState":"a=b","flags":257,"name":"GET /orders","kind":2,
              "startTimeUnixNano":"1767225601000000100","endTimeUnixNano":"1767225601150000350","droppedAttributesCount":2,"droppedEventsCount":3,"droppedLinksCount":4,
              "attributes":[
                {"key":"http.route","value":{"stringValue":"/orders"}},
                {"key":"flag","value":{"boolValue":true}},
                {"key":"count","value":{"intValue":"500"}},
                {"key":"exact","value":{"intValue":"9007199254740991"}},
                {"key":"beyond","value":{"intValue":"9007199254740993"}},
                {"key":"least","value":{"intValue":"-9223372036854775808"}},
                {"key":"ratio","value":{"doubleValue":2.5}},
                {"key":"whole","value":{"doubleValue":2}},
                {"key":"nan","value":{"doubleValue":"NaN"}},
                {"key":"bytes","value":{"bytesValue":"AQID"}},
                {"key":"list","value":{"arrayValue":{"values":[{"stringValue":"a"},{"intValue":"1"},{"boolValue":false}]}}},
                {"key":"map","value":{"kvlistValue":{"values":[{"key":"deep","value":{"arrayValue":{"values":[{"doubleValue":1.5}]}}}]}}},
                {"key":"empty","value":{}},
                {"key":"unicode","value":{"stringValue":"订单 ✓"}},
                {"key":"ip","value":{"intValue":"167837953"}}],
              "events":[
                {"timeUnixNano":"1767225601020000007","name":"exception","attributes":[{"key":"exception.type","value":{"stringValue":"TypeError"}}],"droppedAttributesCount":1},
                {"timeUnixNano":"1767225601030000000","name":"named","attributes":[{"key":"event","value":{"stringValue":"own"}}]}],
              "links":[
                {"traceId":"00000000000000000000000000abcdef","spanId":"00000000000000b1","traceState":"c=d","attributes":[{"key":"why","value":{"stringValue":"batch"}}],"flags":1},
                {"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","attributes":[{"key":"opentracing.ref_type","value":{"stringValue":"child_of"}}]}],
              "status":{"code":2,"message":"boom"}},
             {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b175","parentSpanId":"eee19b7ec3c1b174","name":"GET","kind":3,
              "startTimeUnixNano":"1767225601010000000","endTimeUnixNano":"1767225601060000000",
              "links":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","attributes":[{"key":"opentracing.ref_type","value":{"stringValue":"follows_from"}}]}],
              "status":{"code":1}}]}]},
          {"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"stock/eu"}}]},
           "scopeSpans":[{"spans":[
             {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b176","parentSpanId":"eee19b7ec3c1b175","name":"GET /stock","kind":2,
              "startTimeUnixNano":"1767225601020000000","endTimeUnixNano":"1767225601050000000"}]}]},
          {"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"jobs"}}]},
           "scopeSpans":[{"spans":[
             {"traceId":"00000000000000000000000000ABCDEF","spanId":"00000000000000b1","name":"nightly","startTimeUnixNano":"1767225602000000000","endTimeUnixNano":"1767225604000000000",
              "attributes":[{"key":"http.route","value":{"stringValue":"/night"}}]},
             {"traceId":"00000000000000000000000000abcdef","spanId":"00000000000000b2","parentSpanId":"00000000000000ff","name":"step","kind":1,
              "startTimeUnixNano":"1767225602500000000","endTimeUnixNano":"1767225602500000000"}]}]},
          {"resource":{},
           "scopeSpans":[{"spans":[
             {"traceId":"00000000000000010000000000000002","spanId":"00000000000000c1","name":"lonely","kind":5,"startTimeUnixNano":"1767225603000000000","endTimeUnixNano":"1767225603001000000"}]}]}
        ]}
        """;

    public static async Task<QueryHost> StartAsync()
    {
        var host = await QueryHost.StartAsync();
        host.Spans.Append(Decode(Json));
        return host;
    }

    public static ColumnBatch Decode(string json)
    {
        var body = new ArrayBufferWriter<byte>();
        OtlpJson.ToProtobufTraces(Encoding.UTF8.GetBytes(json), body);
        var decoder = new ColumnBatchDecoder(Signal.Traces);
        decoder.Append(body.WrittenSpan, Batches.Origin);
        return decoder.Take();
    }

    /// <summary>The sample, as a file for the transform endpoint.</summary>
    public static string File => Json;
}
