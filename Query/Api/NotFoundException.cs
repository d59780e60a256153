namespace Apm.Query.Api;

/// <summary>What a request asks for does not exist: answered 404.</summary>
public sealed class NotFoundException(string message) : Exception(message);
