namespace Apm.Telemetry.Otlp;

/// <summary>The bytes are not the OTLP message they should be. The message says what was wrong and where; it is safe to send back.</summary>
public sealed class MalformedOtlpException(string message, Exception? inner = null) : Exception(message, inner);
