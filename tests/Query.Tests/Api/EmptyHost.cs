namespace Apm.Query.Tests.Api;

/// <summary>A host without data, shared by the cases of a class that only ask what is wrong.</summary>
public sealed class EmptyHost : IAsyncLifetime
{
    internal QueryHost Host { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Host = await QueryHost.StartAsync();

    public ValueTask DisposeAsync() => Host.DisposeAsync();
}
