using Lab.ServiceDefaults.Contracts;
using Lab.Worker.Compilation;
using Microsoft.Extensions.Options;

namespace Lab.Worker.Inference;

/// <summary>The configuration section <c>Worker</c> (environment: <c>Worker__ModelDirectory</c> and so on).</summary>
internal sealed class WorkerOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Worker";

    /// <summary>The largest request body that is read, in bytes: a batch of the orchestrator's largest texts fits.</summary>
    public const long MaxBodyBytes = 16 << 20;

    // Compiling a full-size model takes a second or two, on a slow and busy host perhaps ten times that.
    private static readonly TimeSpan CacheLockTimeout = TimeSpan.FromMinutes(2);

    /// <summary>
    /// The model directory (<c>config.json</c>, <c>model.safetensors</c>, the tokenizer's files); a relative path begins
    /// where the program lies. Default: the bundled model.
    /// </summary>
    public string ModelDirectory { get; set; } = Path.Combine("Models", "minilm-sst2");

    /// <summary>The model's name in answers. Default: the name of its directory.</summary>
    public string? ModelName { get; set; }

    /// <summary>
    /// What the model is computed with: <c>int8</c>, several times faster, or <c>fp32</c>, exactly as it was trained.
    /// </summary>
    public string Precision { get; set; } = "int8";

    /// <summary>
    /// Whether each text is computed alone. On x86-64 an answer has the same bits whatever is beside it without this. Other
    /// processors may make sums in another order in a batch, and a number between two of the 255 steps of 8 bits may then
    /// fall to the other side.
    /// </summary>
    public bool Deterministic { get; set; }

    /// <summary>
    /// Where compiled models are kept for all workers of the host, private to the user. Empty keeps none. Default:
    /// <c>$XDG_CACHE_HOME/lab/models</c>, or <c>~/.cache/lab/models</c>.
    /// </summary>
    public string? CacheDirectory { get; set; }

    /// <summary>How large the cache may grow, in MiB; the models used longest ago go first. 1 to 1,048,576.</summary>
    public int CacheMegabytes { get; set; } = 4096;

    /// <summary>
    /// Threads that work on one computation, 1 to 256, but never more than the cores that this process or its container
    /// may use, or they would wait for each other.
    /// </summary>
    public int Threads { get; set; } = 1;

    /// <summary>
    /// The cores to which inference is tied, by Linux's numbers, such as <c>0</c> or <c>0,2-3</c>; or <c>#1</c>, one core of
    /// those that this process may use, counted from <c>#0</c> and begun again after the last, so that one setting suits
    /// machines with one core and with many. Default: none, and the system chooses.
    /// </summary>
    public string? CpuAffinity { get; set; }

    /// <summary>
    /// How many requests may wait while another is computed, 0 to 10,000; the next one is refused with 429. With 0 the
    /// worker lets nobody wait but one dispatch of each further orchestrator, where several share it: Lab's orchestrator has
    /// its own queue. Other proxies may want some.
    /// </summary>
    public int QueueLimit { get; set; }

    /// <summary>
    /// Base address of EC2's instance metadata service, <c>http://169.254.169.254</c>, which is asked whether EC2 takes this
    /// spot instance back. Empty, the default, asks nobody.
    /// </summary>
    public string? SpotNotices { get; set; }

    /// <summary><see cref="ModelDirectory"/> as an absolute path.</summary>
    public string FullModelDirectory => Path.GetFullPath(ModelDirectory, AppContext.BaseDirectory);

    /// <summary><see cref="ModelName"/>, or the last part of <see cref="ModelDirectory"/>.</summary>
    public string FullModelName =>
        string.IsNullOrWhiteSpace(ModelName) ? Path.GetFileName(Path.TrimEndingDirectorySeparator(FullModelDirectory)) : ModelName;

    /// <summary><see cref="Precision"/> as it was understood.</summary>
    /// <exception cref="FormatException">It is neither.</exception>
    public Precision FullPrecision => ParsePrecision(Precision) ?? throw new FormatException($"\"{Precision}\" is no precision.");

    /// <summary>The cores of <see cref="CpuAffinity"/>; empty for none.</summary>
    public IReadOnlyList<int> Cores => string.IsNullOrWhiteSpace(CpuAffinity) ? []
        : CpuSet.Place(CpuAffinity) is { } place ? [CpuSet.At(place, CpuSet.Allowed())]
        : CpuSet.Parse(CpuAffinity) ?? [];

    /// <summary>The cache of compiled models, or null for none.</summary>
    /// <param name="time">The cache's clock.</param>
    public ModelCache? OpenCache(TimeProvider time) =>
        (CacheDirectory ?? ModelCache.DefaultDirectory) is { Length: > 0 } directory
            ? new(Path.GetFullPath(directory), (long)CacheMegabytes << 20, CacheLockTimeout, time)
            : null;

    /// <summary>Reads <c>int8</c> or <c>fp32</c>, in any case; null for anything else.</summary>
    public static Precision? ParsePrecision(string? text) => text?.ToUpperInvariant() switch
    {
        "INT8" => Compilation.Precision.Int8,
        "FP32" => Compilation.Precision.Fp32,
        _ => null,
    };

    /// <summary>Tells impossible values in a sentence each.</summary>
    internal sealed class Validator : IValidateOptions<WorkerOptions>
    {
        /// <inheritdoc/>
        public ValidateOptionsResult Validate(string? name, WorkerOptions options) => options switch
        {
            { ModelDirectory: null or "" } => Fail($"{nameof(ModelDirectory)} is empty"),
            _ when !WireName.IsValid(options.FullModelName) => Fail($"{nameof(ModelName)}, or else the directory's name, must have 1 to {WireName.MaxLength} characters, none of which ends a line or turns the direction of writing"),
            { Threads: < 1 or > 256 } => Fail($"{nameof(Threads)} is {options.Threads}; it must be 1 to 256"),
            _ when ParsePrecision(options.Precision) is null => Fail($"{nameof(Precision)} is \"{options.Precision}\"; it must be int8 or fp32"),
            { CacheMegabytes: < 1 or > 1 << 20 } => Fail($"{nameof(CacheMegabytes)} is {options.CacheMegabytes}; it must be 1 to {1 << 20}"),
            _ when Affinity(options.CpuAffinity) is { } problem => Fail($"{nameof(CpuAffinity)} is \"{options.CpuAffinity}\"; {problem}"),
            _ when !IsAddress(options.SpotNotices) => Fail($"{nameof(SpotNotices)} is \"{options.SpotNotices}\"; it must be an address such as http://169.254.169.254, or empty"),
            { QueueLimit: < 0 or > 10_000 } => Fail($"{nameof(QueueLimit)} is {options.QueueLimit}; it must be 0 to 10000"),
            _ => ValidateOptionsResult.Success,
        };

        private static string? Affinity(string? text)
        {
            if (string.IsNullOrWhiteSpace(text)) return null;
            var cores = CpuSet.Parse(text);
            if (cores is null && CpuSet.Place(text) is null) return "it must be a list of cores such as 0 or 0,2-3, or a place among them such as #1";
            if (!OperatingSystem.IsLinux()) return "threads can be tied to cores on Linux only";
            if (cores is null) return null;
            var allowed = CpuSet.Allowed();
            return cores.All(allowed.Contains) ? null : $"this process may use the cores {CpuSet.Describe(allowed)}";
        }

        private static bool IsAddress(string? text) =>
            string.IsNullOrWhiteSpace(text) || (Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https");

        private static ValidateOptionsResult Fail(string problem) => ValidateOptionsResult.Fail($"{Section}:{problem}");
    }
}
