namespace Apm.Collector.Otlp;

/// <summary>The grpc-timeout header: at most 8 digits and a unit (PROTOCOL-HTTP2).</summary>
internal static class GrpcTimeout
{
    private const int MaxDigits = 8;

    public static bool TryParse(string text, out TimeSpan timeout)
    {
        timeout = default;
        if (text.Length is < 2 or > MaxDigits + 1)
        {
            return false;
        }
        long value = 0;
        foreach (var digit in text.AsSpan(0, text.Length - 1))
        {
            if (!char.IsAsciiDigit(digit))
            {
                return false;
            }
            value = value * 10 + (digit - '0');
        }
        long ticks;
        switch (text[^1])
        {
            case 'H':
                ticks = value * TimeSpan.TicksPerHour;
                break;
            case 'M':
                ticks = value * TimeSpan.TicksPerMinute;
                break;
            case 'S':
                ticks = value * TimeSpan.TicksPerSecond;
                break;
            case 'm':
                ticks = value * TimeSpan.TicksPerMillisecond;
                break;
            case 'u':
                ticks = value * TimeSpan.TicksPerMicrosecond;
                break;
            case 'n':
                // A tick is 100 ns: rounded up, so that 1n is not "at once".
                ticks = (value + 99) / 100;
                break;
            default:
                return false;
        }
        timeout = TimeSpan.FromTicks(ticks);
        return true;
    }
}
