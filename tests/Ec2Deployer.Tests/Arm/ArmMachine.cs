using System.Reflection;
using System.Runtime.InteropServices;

namespace Lab.Ec2Deployer.Tests.Arm;

/// <summary>What an emulated Arm machine is made of here: qemu-user, Debian's libraries for arm64, and .NET's runtime for it.</summary>
internal static class ArmMachine
{
    /// <summary>The emulator (Debian: qemu-user).</summary>
    public const string Emulator = "/usr/bin/qemu-aarch64";

    private static readonly string[] LibraryNames =
    [
        "ld-linux-aarch64.so.1", "libc.so.6", "libm.so.6", "libdl.so.2", "librt.so.1", "libpthread.so.0", "libgcc_s.so.1", "libstdc++.so.6", "libz.so.1",
        "libssl.so.3", "libcrypto.so.3", "libicuuc.so.72", "libicui18n.so.72", "libicudata.so.72",
    ];

    private static readonly string[] LibraryDirectories = ["lib/aarch64-linux-gnu", "usr/lib/aarch64-linux-gnu"];

    /// <summary>Why there can be none here, or null.</summary>
    public static string? Obstacle { get; } =
        RuntimeInformation.ProcessArchitecture is not Architecture.X64 ? "This machine's processor is not x86-64."
        : !File.Exists(Emulator) ? "No qemu-user on this machine."
        : LibraryNames.FirstOrDefault(name => FindLibrary(name) is null) is { } missing ? $"No {missing} of Debian's arm64 packages in {Libraries}, into which .ci/run unpacks them."
        : null;

    private static string Libraries => Path.Combine(
        Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache ? cache : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"),
        "lab-tests", "arm64");

    /// <summary>The files of a container image with .NET for ASP.NET Core: their paths in it, and where they are here.</summary>
    public static IEnumerable<(string Name, string Source)> Files()
    {
        var version = Metadata("RuntimePack");
        var (core, web) = (Pack("microsoft.netcore.app.runtime.linux-arm64", version), Pack("microsoft.aspnetcore.app.runtime.linux-arm64", version));
        var native = Path.Combine(core, "native");
        return LibraryNames.Select(name => ($"{(name.StartsWith("ld-", StringComparison.Ordinal) ? "lib" : "usr/lib/aarch64-linux-gnu")}/{name}", FindLibrary(name)!))
            .Concat(In(Path.Combine(core, "lib", "net10.0"), $"shared/Microsoft.NETCore.App/{version}"))
            .Concat(In(native, $"shared/Microsoft.NETCore.App/{version}"))
            .Concat(In(Path.Combine(web, "lib", "net10.0"), $"shared/Microsoft.AspNetCore.App/{version}"))
            .Append(($"usr/share/dotnet/host/fxr/{version}/libhostfxr.so", Path.Combine(native, "libhostfxr.so")));
    }

    /// <summary>What <c>/proc/cpuinfo</c> tells on a machine with Neoverse N1 processors, as those of <c>t4g</c>.</summary>
    /// <param name="processors">Their number.</param>
    public static string CpuInfo(int processors) => string.Concat(Enumerable.Range(0, processors).Select(i => $"""
        processor	: {i}
        Features	: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp
        CPU implementer	: 0x41
        CPU architecture: 8
        CPU variant	: 0x3
        CPU part	: 0xd0c
        CPU revision	: 1


        """));

    private static IEnumerable<(string, string)> In(string directory, string target) =>
        Directory.EnumerateFiles(directory).Select(file => ($"usr/share/dotnet/{target}/{Path.GetFileName(file)}", file));

    private static string Pack(string name, string version) => Path.Combine(Metadata("Packages"), name, version, "runtimes", "linux-arm64");

    // A library's name is a link to the file of its version.
    private static string? FindLibrary(string name) =>
        LibraryDirectories.Select(directory => Path.Combine(Libraries, directory, name)).FirstOrDefault(File.Exists) is { } file
            ? File.ResolveLinkTarget(file, returnFinalTarget: true)?.FullName ?? file
            : null;

    private static string Metadata(string key) =>
        typeof(ArmMachine).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(attribute => attribute.Key == key).Value!;
}
