using System.ComponentModel.DataAnnotations;
using System.Net;

namespace Apm.ServiceDefaults.Settings;

/// <summary>Where the process listens. Section <c>Listen</c>.</summary>
public sealed class ListenOptions
{
    public const string Section = "Listen";

    /// <summary>Absent: loopback, IPv4 and IPv6. Else an IP address of this machine, or * for all.</summary>
    public string? Address { get; init; }

    /// <summary>UI, API and health. 0: any free port.</summary>
    [Range(0, 65535)]
    public int Port { get; init; } = 9618;

    /// <summary>Host names that requests may name besides those of loopback; without it, and open to other machines, any may.</summary>
    public string[] AllowedHosts { get; init; } = [];

    /// <summary>Where this process reaches itself.</summary>
    public Uri OwnAddress(int port)
    {
        var host = IPAddress.TryParse(Address, out var address) ? address : IPAddress.Loopback;
        return new Uri($"http://{new IPEndPoint(host, port)}");
    }

    public bool IsLoopback => Address is null || Address.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || IPAddress.TryParse(Address, out var address) && IPAddress.IsLoopback(address);
}

/// <summary>Section <c>Security</c>.</summary>
public sealed class SecurityOptions
{
    public const string Section = "Security";

    /// <summary>Said explicitly: anybody who reaches the address may read and send everything.</summary>
    public bool AllowAnonymous { get; init; }
}
