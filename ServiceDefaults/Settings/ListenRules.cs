using System.Net;

namespace Apm.ServiceDefaults.Settings;

/// <summary>What must hold between the settings of <see cref="ListenOptions"/> and <see cref="SecurityOptions"/>.</summary>
public static class ListenRules
{
    public static void Check(SettingsCheck settings, ListenOptions listen, SecurityOptions security)
    {
        if (listen.Address is { } address && address is not ("*" or "+") && !address.Equals("localhost", StringComparison.OrdinalIgnoreCase) && !IPAddress.TryParse(address, out _))
        {
            settings.Add($"{ListenOptions.Section}:Address: '{address}' must be an IP address of this machine, or * for all.");
        }
        else if (!listen.IsLoopback && !security.AllowAnonymous)
        {
            settings.Add($"{ListenOptions.Section}:Address: '{listen.Address}' opens Apm to other machines, and this version cannot ask who they are. "
                + $"Leave it out to listen on this machine only, or set {SecurityOptions.Section}:AllowAnonymous=true to let anybody who reaches the address read and send everything.");
        }
    }
}
