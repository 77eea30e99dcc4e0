using System.Globalization;
using System.Runtime.InteropServices;

namespace Lab.Bench.Machine;

/// <summary>The machine the generator ran on.</summary>
/// <param name="Processor">The processor's name.</param>
/// <param name="Cores">How many of its cores this process may use.</param>
/// <param name="MemoryGigabytes">Memory in GiB, rounded to one place.</param>
/// <param name="System">The operating system.</param>
/// <param name="Runtime">The .NET version.</param>
/// <param name="Build">Whether the generator was built for release.</param>
internal sealed record MachineDescription(string Processor, int Cores, double MemoryGigabytes, string System, string Runtime, string Build)
{
    /// <summary>Looks at this machine.</summary>
    public static MachineDescription OfThis() => new(
        FromFile("/proc/cpuinfo", "model name") ?? RuntimeInformation.ProcessArchitecture.ToString(),
        Environment.ProcessorCount,
        Math.Round(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (1024.0 * 1024 * 1024), 1),
        FromFile("/etc/os-release", "PRETTY_NAME")?.Trim('"') ?? RuntimeInformation.OSDescription,
        RuntimeInformation.FrameworkDescription,
#if DEBUG
        "Debug"
#else
        "Release"
#endif
    );

    /// <summary>In one line.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Processor}, {Cores} {(Cores == 1 ? "core" : "cores")}, {MemoryGigabytes:0.#} GiB, {System}, {Runtime}");

    private static string? FromFile(string path, string name)
    {
        try
        {
            return File.ReadLines(path).Select(line => line.Split([':', '='], 2)).FirstOrDefault(parts => parts.Length == 2 && parts[0].Trim() == name)?[1].Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
