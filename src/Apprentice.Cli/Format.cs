using System.Globalization;

namespace Apprentice.Cli;

/// <summary>Numbers as people read them, the same in every country.</summary>
internal static class Format
{
    public static string Loss(double loss) => Text($"{loss:0.0000}");

    public static string Rate(double learningRate) => Text($"{learningRate:0.00e-00}");

    /// <summary>Three digits that count, and no exponent.</summary>
    public static string Speed(double perSecond) =>
        perSecond < 10 ? Text($"{perSecond:0.00}") : perSecond < 100 ? Text($"{perSecond:0.0}") : Text($"{perSecond:0}");

    /// <summary>Decimal units, as memory and disks are sold.</summary>
    public static string Bytes(long bytes) => bytes switch
    {
        >= 1_000_000_000 => Text($"{bytes / 1e9:0.00} GB"),
        >= 1_000_000 => Text($"{bytes / 1e6:0} MB"),
        _ => Text($"{bytes / 1e3:0} kB"),
    };

    public static string Duration(TimeSpan time) =>
        time.TotalHours >= 1 ? Text($"{(long)time.TotalHours}h{time.Minutes:00}m")
        : time.TotalMinutes >= 1 ? Text($"{time.Minutes}m{time.Seconds:00}s")
        : Text($"{time.TotalSeconds:0}s");

    public static string Date(DateTimeOffset time) => Text($"{time.ToLocalTime():yyyy-MM-dd HH:mm}");

    /// <summary>About how many: 135M, 1.24B.</summary>
    public static string Many(long count) => count switch
    {
        >= 1_000_000_000 => Text($"{count / 1e9:0.##}B"),
        >= 1_000_000 => Text($"{count / 1e6:0.#}M"),
        >= 1_000 => Text($"{count / 1e3:0}k"),
        _ => Text($"{count}"),
    };

    public static string Count(long count) => Text($"{count:#,0}");

    public static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
