using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Lab.ServiceDefaults.Starts;

/// <summary>Why a service does not serve, in one line: which setting, what is wrong with it, and what would do.</summary>
internal static partial class StartFailure
{
    private const int MaxValueLength = 100;

    /// <summary>Explains what has kept a service from serving.</summary>
    /// <param name="failure">What was thrown.</param>
    /// <param name="configuration">The service's, if it got so far.</param>
    public static string Explain(Exception failure, IConfiguration? configuration) => Text(failure, configuration).ReplaceLineEndings(" ").Trim();

    private static string Text(Exception failure, IConfiguration? configuration)
    {
        if (ListenFailure.Explain(failure, configuration) is { } listening) return listening;
        return failure switch
        {
            AggregateException { InnerExceptions: [var only] } => Text(only, configuration),
            OptionsValidationException options => string.Join("; ", options.Failures),
            InvalidOperationException when Conversion().Match(failure.Message) is { Success: true } conversion => Convert(conversion),
            // It does not say of which provider or category.
            InvalidOperationException when failure.Message.StartsWith("Configuration value '", StringComparison.Ordinal) => $"Logging:LogLevel: {failure.Message} It must be {StartChecks.LogLevels}.",
            // Messages of the library that reads settings files tell which file, and only the inner ones what is wrong with it.
            InvalidDataException { InnerException: { } inner } => $"{failure.Message} {inner.GetBaseException().Message}",
            // The message is nothing but its path.
            DirectoryNotFoundException when Path.IsPathRooted(failure.Message) => $"--contentRoot: there is no directory '{failure.Message}'.",
            _ when IsMeantForPeople(failure) => failure.Message,
            _ => $"{failure.GetType().Name}: {failure.Message}",
        };
    }

    // Those of Lab's own, and what the system says of files; of others the type tells what the message may leave out.
    private static bool IsMeantForPeople(Exception failure) =>
        failure is IOException or UnauthorizedAccessException or FormatException || failure.GetType().Namespace?.StartsWith("Lab.", StringComparison.Ordinal) is true;

    private static string Convert(Match conversion)
    {
        var value = conversion.Groups["value"].Value;
        if (value.Length > MaxValueLength) value = $"{value.AsSpan(0, MaxValueLength)}…";
        return $"{conversion.Groups["path"].Value} is '{value}'; it must be {Expected(conversion.Groups["type"].Value)}.";
    }

    private static string Expected(string type) => type switch
    {
        "System.Boolean" => "true or false",
        "System.TimeSpan" => "a time such as 00:00:30 (hours, minutes, seconds)",
        "System.Int32" => string.Create(CultureInfo.InvariantCulture, $"a whole number up to {int.MaxValue}, digits only"),
        "System.Int64" => "a whole number, digits only",
        "System.Double" or "System.Single" or "System.Decimal" => "a number such as 0.5",
        _ when EnumOf(type) is { } names => $"{string.Join(", ", names[..^1])} or {names[^1]}",
        _ => $"a {type[(type.LastIndexOf('.') + 1)..]}",
    };

    private static string[]? EnumOf(string type) =>
        AppDomain.CurrentDomain.GetAssemblies().Select(assembly => assembly.GetType(type)).FirstOrDefault(found => found is { IsEnum: true }) is { } named ? Enum.GetNames(named) : null;

    // Of the configuration binder, which has no exception of its own.
    [GeneratedRegex("^Failed to convert configuration value '(?<value>.*)' at '(?<path>.*)' to type '(?<type>.*)'.$", RegexOptions.Singleline)]
    private static partial Regex Conversion();
}
