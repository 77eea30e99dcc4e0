using System.Globalization;

namespace Lab.Bench.Machine;

/// <summary>How much of the processors this process, and all processes together, have used since the meter was made.</summary>
internal sealed class ProcessorMeter(TimeProvider time)
{
    private readonly long _begun = time.GetTimestamp();
    private readonly TimeSpan _own = Environment.CpuUsage.TotalTime;
    private readonly (double Busy, double All)? _machine = ReadMachine();

    /// <summary>Reads the meter.</summary>
    /// <returns>Shares of all cores, 0 to 1; the machine's is <c>null</c> where it cannot be known.</returns>
    public (double Own, double? Machine) Read()
    {
        var seconds = time.GetElapsedTime(_begun).TotalSeconds;
        var own = seconds > 0 ? (Environment.CpuUsage.TotalTime - _own).TotalSeconds / seconds / Environment.ProcessorCount : 0;
        double? machine = _machine is { } before && ReadMachine() is { } now && now.All > before.All
            ? (now.Busy - before.Busy) / (now.All - before.All) : null;
        return (Math.Clamp(own, 0, 1), machine);
    }

    // "cpu  user nice system idle iowait irq softirq steal …" in ticks (proc(5)).
    private static (double Busy, double All)? ReadMachine()
    {
        try
        {
            var ticks = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Skip(1).Take(8).Select(number => double.Parse(number, CultureInfo.InvariantCulture)).ToArray();
            return (ticks.Sum() - ticks[3] - ticks[4], ticks.Sum());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException or InvalidOperationException or IndexOutOfRangeException)
        {
            return null;
        }
    }
}
