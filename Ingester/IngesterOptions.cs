using System.Globalization;
using Microsoft.Extensions.Options;

namespace Apm.Ingester;

/// <summary>Bounds of the Ingester, bound to the section <see cref="Section"/>.</summary>
public sealed class IngesterOptions
{
    public const string Section = "Ingester";

    /// <summary>Rows from which no further waiting batch joins an append. A block of a part holds as many, and an append has a fixed cost that they share.</summary>
    public int JoinRows { get; set; } = 8192;

    /// <summary>Decompressed bytes from which no further waiting batch joins an append: bounds the memory of one.</summary>
    public int JoinBytes { get; set; } = 32 << 20;

    /// <summary>Largest decompressed body. The Collector's own limit is lower; this one only guards against a body that came another way.</summary>
    public int MaxBodyBytes { get; set; } = 256 << 20;

    /// <summary>How often the buffer is told what storage holds when nothing arrives.</summary>
    public TimeSpan CommitInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Wait after storage failed for the first time; it doubles up to <see cref="MaxRetryDelay"/>.</summary>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMilliseconds(100);

    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromSeconds(5);
}

internal sealed class IngesterOptionsValidator : IValidateOptions<IngesterOptions>
{
    public ValidateOptionsResult Validate(string? name, IngesterOptions options)
    {
        var errors = new List<string>();
        Require(options.JoinRows is >= 1 and <= 1 << 20, nameof(options.JoinRows), options.JoinRows, "1 to 1048576 rows");
        Require(options.JoinBytes is >= 1 << 16 and <= 1 << 29, nameof(options.JoinBytes), options.JoinBytes, "65536 to 536870912 bytes");
        Require(options.MaxBodyBytes is >= 1 << 20 and <= 1 << 30, nameof(options.MaxBodyBytes), options.MaxBodyBytes, "1048576 to 1073741824 bytes");
        RequireTime(options.CommitInterval, nameof(options.CommitInterval), TimeSpan.FromMinutes(1));
        RequireTime(options.RetryDelay, nameof(options.RetryDelay), TimeSpan.FromMinutes(1));
        RequireTime(options.MaxRetryDelay, nameof(options.MaxRetryDelay), TimeSpan.FromMinutes(10));
        if (options.MaxRetryDelay < options.RetryDelay)
        {
            errors.Add($"{IngesterOptions.Section}:{nameof(options.MaxRetryDelay)} is {options.MaxRetryDelay}, must be at least {nameof(options.RetryDelay)} ({options.RetryDelay})");
        }
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);

        void Require(bool right, string key, int value, string wanted)
        {
            if (!right)
            {
                errors.Add(string.Create(CultureInfo.InvariantCulture, $"{IngesterOptions.Section}:{key} is {value}, must be {wanted}"));
            }
        }

        void RequireTime(TimeSpan value, string key, TimeSpan most)
        {
            if (value < TimeSpan.FromMilliseconds(1) || value > most)
            {
                errors.Add($"{IngesterOptions.Section}:{key} is {value}, must be 1 ms to {most}");
            }
        }
    }
}
