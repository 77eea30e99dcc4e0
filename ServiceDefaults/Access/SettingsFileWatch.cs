using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Lab.ServiceDefaults.Access;

/// <summary>
/// Follows <c>appsettings.json</c> and its like, which may hold keys, in place of .NET's own watch: that one hears nothing of
/// a link that is renamed, and drops every setting while a file is half written. One that cannot be read stays as it was.
/// </summary>
internal sealed partial class SettingsFileWatch(IConfiguration configuration, TimeProvider time, ILogger<SettingsFileWatch> logger) : IHostedService, IDisposable
{
    private readonly List<FileWatch<FileContent>> _watches = [];

    /// <summary>Takes the files over from .NET's own watch. Counts when the configuration's sources are next put together.</summary>
    public static void TakeOver(IHostApplicationBuilder builder)
    {
        foreach (var source in ((IConfigurationBuilder)builder.Configuration).Sources.OfType<FileConfigurationSource>().Where(source => source.ReloadOnChange))
        {
            if (source.Path is not { } name || source.FileProvider?.GetFileInfo(name).PhysicalPath is not { } path) continue;
            (source.ReloadOnChange, source.FileProvider) = (false, new SettingsFile(path));
        }

        builder.Services.AddHostedService<SettingsFileWatch>();
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var provider in ((IConfigurationRoot)configuration).Providers.OfType<FileConfigurationProvider>())
            if (provider.Source.FileProvider is SettingsFile file) _watches.Add(new(file.Content, file.Read, content => Follow(provider, file, content), time));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _watches.ForEach(watch => watch.Dispose());

    private void Follow(FileConfigurationProvider provider, SettingsFile file, FileContent content)
    {
        file.Content = content;
        try
        {
            provider.Load();
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            // The provider's own message tells the file alone.
            LogKept(logger, file.Path, e.GetBaseException().Message.ReplaceLineEndings(" "));
        }
    }

    [LoggerMessage(1, LogLevel.Error, "The settings of {Path} are kept as they were: {Reason}")]
    private static partial void LogKept(ILogger logger, string path, string reason);
}
