using System.Globalization;
using System.Text;

namespace Apm.Telemetry.Otlp;

/// <summary>
/// The look at an export request before it is acknowledged: every byte is walked, nothing is allocated unless an item is rejected. What it rejects is
/// what the decoder skips later, as both ask the same <c>Read</c> methods; the bytes themselves are kept as received. Any number of threads.
/// </summary>
public static class OtlpCheck
{
    /// <summary>Characters of a name quoted in a message.</summary>
    private const int MaxQuotedChars = 80;

    /// <param name="body">An ExportTraceServiceRequest; empty is an empty request.</param>
    /// <exception cref="MalformedOtlpException">The bytes are not that message; the whole request is refused.</exception>
    public static OtlpCheckResult Traces(ReadOnlySpan<byte> body) => Check(body, Signal.Traces);

    /// <param name="body">An ExportLogsServiceRequest; empty is an empty request.</param>
    /// <exception cref="MalformedOtlpException">The bytes are not that message; the whole request is refused.</exception>
    public static OtlpCheckResult Logs(ReadOnlySpan<byte> body) => Check(body, Signal.Logs);

    private static OtlpCheckResult Check(ReadOnlySpan<byte> body, Signal signal)
    {
        var sink = new Sink(signal);
        OtlpWalker.Walk(body, ref sink);
        return sink.ToResult();
    }

    private ref struct Sink(Signal signal) : IOtlpSink
    {
        private ReadOnlySpan<byte> _resource;
        private Rejection _resourceRejection;
        private Rejection _scopeRejection;
        private int _items;
        private int _rejected;
        private int _warnings;
        private int[]? _counts;
        private string? _firstRejected;
        private string? _firstWarning;

        public void Resource(ReadOnlySpan<byte> resource, ReadOnlySpan<byte> schemaUrl)
        {
            _resource = resource;
            _resourceRejection = ResourceFields.Read(resource, out _);
        }

        public void Scope(ReadOnlySpan<byte> scope, ReadOnlySpan<byte> schemaUrl) => _scopeRejection = ScopeFields.Read(scope, out _);

        public void Item(ReadOnlySpan<byte> item)
        {
            _items++;
            Rejection rejection;
            ReadOnlySpan<byte> name;
            if (signal == Signal.Traces)
            {
                rejection = SpanFields.Read(item, out var span);
                name = span.Name;
            }
            else
            {
                rejection = LogRecordFields.Read(item, out var record);
                name = record.EventName;
                if (record.HasInvalidTraceContext)
                {
                    Warn();
                }
            }
            if (!_resourceRejection.IsNone)
            {
                rejection = _resourceRejection;
            }
            else if (!_scopeRejection.IsNone)
            {
                rejection = _scopeRejection;
            }
            if (!rejection.IsNone)
            {
                Reject(rejection, name);
            }
        }

        public readonly OtlpCheckResult ToResult()
        {
            string? message = null;
            if (_rejected > 0)
            {
                message = RejectedMessage();
            }
            if (_warnings > 0)
            {
                var warning = string.Create(CultureInfo.InvariantCulture,
                    $"{_warnings} log records taken without trace_id and span_id, which have wrong lengths (first: {_firstWarning})");
                message = message is null ? warning : $"{message}; {warning}";
            }
            return new OtlpCheckResult(_items, _rejected, _warnings, _counts, message);
        }

        private void Reject(Rejection rejection, ReadOnlySpan<byte> name)
        {
            _rejected++;
            _counts ??= new int[RejectionReasons.Count];
            _counts[(int)rejection.Reason]++;
            if (_firstRejected is null)
            {
                var what = signal == Signal.Traces ? $"span '{Quote(name)}' of " : name.IsEmpty ? "a log record of " : $"log record '{Quote(name)}' of ";
                _firstRejected = $"{rejection.Describe()} (first: {what}{Service()})";
            }
        }

        private void Warn()
        {
            _warnings++;
            _firstWarning ??= $"one of {Service()}";
        }

        private readonly string RejectedMessage()
        {
            var text = new StringBuilder();
            text.Append(CultureInfo.InvariantCulture, $"{_rejected} {(signal == Signal.Traces ? "span" : "log record")}{(_rejected == 1 ? "" : "s")} rejected: ");
            var reasons = 0;
            foreach (var count in _counts!)
            {
                reasons += count > 0 ? 1 : 0;
            }
            if (reasons > 1)
            {
                for (var reason = 0; reason < _counts.Length; reason++)
                {
                    if (_counts[reason] > 0)
                    {
                        text.Append(CultureInfo.InvariantCulture, $"{_counts[reason]} {RejectionReasons.Text((RejectionReason)reason)}, ");
                    }
                }
            }
            return text.Append(_firstRejected).ToString();
        }

        private readonly string Service()
        {
            var service = default(ReadOnlySpan<byte>);
            var reader = new ProtobufReader(_resource);
            while (!reader.End)
            {
                var tag = reader.ReadTag();
                if (tag != ResourceFields.AttributeTag)
                {
                    reader.Skip(tag);
                    continue;
                }
                var pair = KeyValue.Read(reader.ReadBytes());
                if (pair.Key.SequenceEqual("service.name"u8))
                {
                    service = AnyValue.Read(pair.Value).Content;
                }
            }
            return service.IsEmpty ? "a resource without service.name" : $"service '{Quote(service)}'";
        }

        private static string Quote(ReadOnlySpan<byte> utf8)
        {
            var text = Encoding.UTF8.GetString(utf8.Length > 4 * MaxQuotedChars ? utf8[..(4 * MaxQuotedChars)] : utf8);
            var cut = text.Length > MaxQuotedChars;
            return string.Concat(text.AsSpan(0, Math.Min(text.Length, MaxQuotedChars)), cut ? "…" : "");
        }
    }
}
