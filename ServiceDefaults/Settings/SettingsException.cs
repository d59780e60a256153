namespace Apm.ServiceDefaults.Settings;

/// <summary>The start is refused: one line for each error, naming the key, the value and what would be right. The process ends with exit code 2.</summary>
public sealed class SettingsException(IReadOnlyList<string> errors) : Exception(string.Join(Environment.NewLine, errors))
{
    public const int ExitCode = 2;

    public IReadOnlyList<string> Errors { get; } = errors;
}
