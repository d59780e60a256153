using System.Net;
using System.Net.Sockets;
using Apm.ServiceDefaults.Settings;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using ListenOptions = Apm.ServiceDefaults.Settings.ListenOptions;

namespace Apm.ServiceDefaults.Tests.Settings;

public sealed class PortBindingsTests
{
    private static readonly ListenOptions Loopback = new();

    [Fact]
    public void Open_PortTaken_IsReportedForADefaultAndRefusedForARequiredOne()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        using (var bindings = PortBindings.Open(Loopback, [new PortRequest("A", port, HttpProtocols.Http1, IsRequired: false, "A:Port"), new PortRequest("B", 0, HttpProtocols.Http1, IsRequired: true, "B:Port")]))
        {
            Assert.Contains($"port {port} is taken by another process", bindings.Ports[0].Failure, StringComparison.Ordinal);
            Assert.Null(bindings.Ports[1].Failure);
            Assert.InRange(bindings.Ports[1].Port, 1, 65535);
        }
        var refused = Assert.Throws<SettingsException>(() => PortBindings.Open(Loopback, [new PortRequest("A", port, HttpProtocols.Http1, IsRequired: true, "A:Port")]));
        Assert.StartsWith($"A:Port: port {port} is taken by another process", Assert.Single(refused.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void Open_SamePortTwice_IsRefused()
    {
        using var first = PortBindings.Open(Loopback, [new PortRequest("A", 0, HttpProtocols.Http1, true, "A:Port")]);
        Assert.Throws<SettingsException>(() => PortBindings.Open(Loopback, [new PortRequest("B", first.Ports[0].Port, HttpProtocols.Http1, true, "B:Port")]));
    }

    [Fact]
    public void Dispose_UnusedSockets_FreesThePorts()
    {
        var first = PortBindings.Open(Loopback, [new PortRequest("A", 0, HttpProtocols.Http1, true, "A:Port")]);
        var port = first.Ports[0].Port;
        first.Dispose();
        using var again = PortBindings.Open(Loopback, [new PortRequest("A", port, HttpProtocols.Http1, true, "A:Port")]);
        Assert.Equal(port, again.Ports[0].Port);
    }

    [Fact]
    public void Open_AddressOfAnotherMachine_IsRefused()
    {
        var refused = Assert.Throws<SettingsException>(() => PortBindings.Open(new ListenOptions { Address = "192.0.2.1" }, [new PortRequest("A", 0, HttpProtocols.Http1, true, "Listen:Port")]));
        Assert.Equal(["Listen:Port: 192.0.2.1 is not an address of this machine."], refused.Errors);
    }
}
