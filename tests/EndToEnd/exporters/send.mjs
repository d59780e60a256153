// Sends one trace of two services and two log records with the official exporters, waits for the acknowledgement, and prints what was sent as one line of JSON.
// usage: node send.mjs grpc|http-json|http-proto none|gzip ENDPOINT
import { SpanKind, SpanStatusCode, TraceFlags, context, trace } from '@opentelemetry/api';
import { SeverityNumber } from '@opentelemetry/api-logs';
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, SimpleSpanProcessor, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { LoggerProvider, BatchLogRecordProcessor } from '@opentelemetry/sdk-logs';

const [protocol, compression, endpoint] = process.argv.slice(2);

async function exporters() {
  const options = { compression: compression === 'gzip' ? CompressionAlgorithm.GZIP : CompressionAlgorithm.NONE };
  if (protocol === 'grpc') {
    const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-grpc');
    const { OTLPLogExporter } = await import('@opentelemetry/exporter-logs-otlp-grpc');
    return [new OTLPTraceExporter({ ...options, url: endpoint }), new OTLPLogExporter({ ...options, url: endpoint })];
  }
  const kind = protocol === 'http-json' ? 'http' : 'proto';
  const { OTLPTraceExporter } = await import(`@opentelemetry/exporter-trace-otlp-${kind}`);
  const { OTLPLogExporter } = await import(`@opentelemetry/exporter-logs-otlp-${kind}`);
  return [new OTLPTraceExporter({ ...options, url: `${endpoint}/v1/traces` }), new OTLPLogExporter({ ...options, url: `${endpoint}/v1/logs` })];
}

const suffix = `${protocol}-${compression}`;
const [spanExporter, logExporter] = await exporters();
const results = [];
const watched = exporter => new Proxy(exporter, {
  get(target, name) {
    if (name === 'export') {
      return (items, done) => target.export(items, result => { results.push({ code: result.code, error: result.error?.message }); done(result); });
    }
    const value = target[name];
    return typeof value === 'function' ? value.bind(target) : value;
  },
});
const resourceOf = service => resourceFromAttributes({ 'service.name': `${service}-${suffix}`, 'service.version': '1.2.3', 'host.cpus': 4 });
const providerOf = service => new BasicTracerProvider({ resource: resourceOf(service), spanProcessors: [new BatchSpanProcessor(watched(spanExporter))] });
const front = providerOf('front');
const back = providerOf('back');
const logs = new LoggerProvider({ resource: resourceOf('front'), processors: [new BatchLogRecordProcessor({ exporter: watched(logExporter) })] });

// Hundreds of nanoseconds survive: HrTime is [seconds, nanoseconds].
const now = Math.floor(Date.now() / 1000);
const at = nano => [now, nano];

const other = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: TraceFlags.SAMPLED };
const root = front.getTracer('shop', '0.9').startSpan('GET /orders', {
  kind: SpanKind.SERVER, startTime: at(100_000_100), links: [{ context: other, attributes: { why: 'batch' } }],
  attributes: { 'http.route': '/orders', 'http.response.status_code': 500, 'double': 2.5, 'flag': true, 'no': false, 'strings': ['a', 'b'], 'numbers': [1, 2, 3], 'unicode': '订单 ✓', 'big': 9007199254740991 },
});
const inRoot = trace.setSpan(context.active(), root);
const call = front.getTracer('shop', '0.9').startSpan('GET', { kind: SpanKind.CLIENT, startTime: at(110_000_000), attributes: { 'server.address': 'back' } }, inRoot);
const served = back.getTracer('stock').startSpan('GET /stock', { kind: SpanKind.SERVER, startTime: at(120_000_000) }, trace.setSpan(context.active(), call));
served.addEvent('exception', { 'exception.type': 'TypeError', 'exception.message': 'boom', 'exception.stacktrace': 'TypeError: boom\n    at x' }, at(125_000_007));
served.setStatus({ code: SpanStatusCode.ERROR, message: 'boom' });
served.end(at(150_000_000));
call.end(at(160_000_000));
root.setStatus({ code: SpanStatusCode.ERROR });
root.end(at(250_000_350));
const logger = logs.getLogger('shop.orders', '0.9');
logger.emit({ severityNumber: SeverityNumber.ERROR, severityText: 'ERROR', body: `order failed ${suffix}`, attributes: { 'order.id': 42, 'ok': false }, context: inRoot, timestamp: at(126_000_000) });
logger.emit({ severityNumber: SeverityNumber.INFO, body: { structured: ['x', 1, { deep: true }] }, timestamp: at(127_000_000) });

await Promise.all([front.forceFlush(), back.forceFlush(), logs.forceFlush()]);
await Promise.all([front.shutdown(), back.shutdown(), logs.shutdown()]);
console.log(JSON.stringify({
  suffix, now: String(now), results, traceId: root.spanContext().traceId,
  root: root.spanContext().spanId, call: call.spanContext().spanId, served: served.spanContext().spanId,
}));
