using System.Globalization;

namespace Apm.Web.Tests;

public sealed class DevServer
{
    /// <summary>
    /// Serves the UI over canned answers until it is stopped, with styles and modules from the source folder:
    /// <c>APM_DEV_PORT=5180 dotnet run --project tests/Web.Tests -- -explicit only -method "*DevServer*"</c>
    /// </summary>
    [Fact(Explicit = true)]
    public async Task Run_UntilStopped()
    {
        var port = int.Parse(Environment.GetEnvironmentVariable("APM_DEV_PORT") ?? "5180", CultureInfo.InvariantCulture);
        var mode = Enum.Parse<FakeMode>(Environment.GetEnvironmentVariable("APM_DEV_MODE") ?? "Story");
        await using var host = await WebHost.StartAsync(mode, TimeProvider.System, port, sourceFolder: SourceFolder.Web);
        await Task.Delay(Timeout.Infinite, TestContext.Current.CancellationToken);
    }
}
