using Microsoft.Extensions.Options;

namespace Lab.Worker;

/// <summary>The configuration section <c>Worker</c> (environment: <c>Worker__ModelDirectory</c> and so on).</summary>
internal sealed class WorkerOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Worker";

    /// <summary>The largest request body that is read, in bytes: a batch of the orchestrator's largest texts fits.</summary>
    public const long MaxBodyBytes = 16 << 20;

    /// <summary>
    /// The model directory (<c>config.json</c>, <c>model.safetensors</c>, <c>vocab.txt</c>); a relative path begins
    /// where the program lies. Default: the bundled model.
    /// </summary>
    public string ModelDirectory { get; set; } = Path.Combine("Models", "tiny-sst2");

    /// <summary>The model's name in answers. Default: the name of its directory.</summary>
    public string? ModelName { get; set; }

    /// <summary>Threads that work on one computation, 1 to 256. One for each core and no more, or they wait for each other.</summary>
    public int Threads { get; set; } = 1;

    /// <summary>
    /// How many requests may wait while another is computed, 0 to 10,000; the next one is refused with 429. With 0 the
    /// worker never lets anybody wait: Lab's orchestrator has its own queue. Other proxies may want some.
    /// </summary>
    public int QueueLimit { get; set; }

    /// <summary><see cref="ModelDirectory"/> as an absolute path.</summary>
    public string FullModelDirectory => Path.GetFullPath(ModelDirectory, AppContext.BaseDirectory);

    /// <summary><see cref="ModelName"/>, or the last part of <see cref="ModelDirectory"/>.</summary>
    public string FullModelName =>
        string.IsNullOrWhiteSpace(ModelName) ? Path.GetFileName(Path.TrimEndingDirectorySeparator(FullModelDirectory)) : ModelName;

    /// <summary>Tells impossible values in a sentence each.</summary>
    internal sealed class Validator : IValidateOptions<WorkerOptions>
    {
        /// <inheritdoc/>
        public ValidateOptionsResult Validate(string? name, WorkerOptions options) => options switch
        {
            { ModelDirectory: null or "" } => Fail($"{nameof(ModelDirectory)} is empty"),
            { Threads: < 1 or > 256 } => Fail($"{nameof(Threads)} is {options.Threads}; it must be 1 to 256"),
            { QueueLimit: < 0 or > 10_000 } => Fail($"{nameof(QueueLimit)} is {options.QueueLimit}; it must be 0 to 10000"),
            _ => ValidateOptionsResult.Success,
        };

        private static ValidateOptionsResult Fail(string problem) => ValidateOptionsResult.Fail($"{Section}:{problem}");
    }
}
