using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Lab.Worker.Compilation;

/// <summary>What of a processor decides how a model is compiled for it.</summary>
/// <param name="Features">The instruction sets that it has, in a form that differs where they differ.</param>
/// <param name="Saturates">
/// Whether products of unsigned and signed bytes are added in pairs as 16-bit numbers and cut off where these overflow:
/// x86-64 without VNNI, whose VPMADDUBSW does so (Intel, Intrinsics Guide).
/// </param>
internal sealed record Processor(string Features, bool Saturates)
{
    private const int Avx512Vnni = 1 << 11;

    /// <summary>The processor of this machine.</summary>
    public static Processor Current { get; } = X86Base.IsSupported ? OfX86() : OfOther();

    /// <summary>
    /// The largest magnitude of an 8-bit weight. 255 · 64 · 2 still fits a 16-bit number, and so nothing is ever cut off
    /// where <see cref="Saturates"/> holds.
    /// </summary>
    public int Levels => Saturates ? 64 : 127;

    private static Processor OfX86()
    {
        var basic = X86Base.CpuId(1, 0);
        var extended = X86Base.CpuId(7, 0);
        var further = X86Base.CpuId(7, 1);
        // .NET knows whether the operating system saves the wide registers; of AVX-512's VNNI only the processor tells.
        var vnni = AvxVnni.IsSupported || (Avx512BW.VL.IsSupported && Avx512DQ.VL.IsSupported && (extended.Ecx & Avx512Vnni) != 0);
        int[] words = [basic.Ecx, basic.Edx, extended.Ebx, extended.Ecx, extended.Edx, further.Eax];
        var features = string.Concat(words.Select(word => word.ToString("x8", CultureInfo.InvariantCulture)));
        return new($"x64-{features}-{(Avx512F.IsSupported ? 512 : Avx2.IsSupported ? 256 : 128)}", Saturates: !vnni);
    }

    private static Processor OfOther()
    {
        var features = $"{RuntimeInformation.ProcessArchitecture}-{Dp.IsSupported}".ToLowerInvariant();
        try
        {
            // The runtime also chooses by the core's design, which Linux tells here.
            var lines = File.ReadLines("/proc/cpuinfo")
                .Where(line => line.StartsWith("Features", StringComparison.Ordinal) || line.StartsWith("CPU ", StringComparison.Ordinal))
                .Distinct(StringComparer.Ordinal);
            features += "-" + string.Join(';', lines);
        }
        catch (IOException)
        {
            // Not Linux: the architecture has to do.
        }

        // Arm's kernels widen bytes to 16 bits and add their products in 32, as UDOT and UMMLA do (ONNX Runtime, mlas/lib/aarch64).
        return new(features, Saturates: false);
    }
}
