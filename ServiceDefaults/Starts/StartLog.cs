using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Lab.ServiceDefaults.Starts;

/// <summary>What the log tells of a start.</summary>
public static class StartLog
{
    private const string HostCategory = "Microsoft.Extensions.Hosting.Internal.Host";

    /// <summary>Keeps the host's records of a start that fails out of the log: they are traces of calls, and <see cref="ServiceRun"/> has told why in one line.</summary>
    public static void SilenceFailedStart(this IServiceCollection services) =>
        services.AddOptions<LoggerFilterOptions>().PostConfigure<IServiceProvider>(SilenceUntilStarted);

    // The rules that hold for the host's category, once more and for it alone: nothing until the service serves.
    private static void SilenceUntilStarted(LoggerFilterOptions filter, IServiceProvider services)
    {
        var rules = filter.Rules.Where(rule => rule.CategoryName is null || HostCategory.StartsWith(rule.CategoryName, StringComparison.OrdinalIgnoreCase))
            .OrderBy(rule => rule.CategoryName?.Length ?? 0)
            .ToList();
        if (rules.TrueForAll(rule => rule.ProviderName is not null)) rules.Insert(0, new(null, null, filter.MinLevel, null));
        IHostApplicationLifetime? lifetime = null;
        foreach (var rule in rules)
            filter.Rules.Add(new(rule.ProviderName, HostCategory, rule.LogLevel, (provider, category, level) =>
                (lifetime ??= services.GetRequiredService<IHostApplicationLifetime>()).ApplicationStarted.IsCancellationRequested && rule.Filter?.Invoke(provider, category, level) is not false));
    }
}
