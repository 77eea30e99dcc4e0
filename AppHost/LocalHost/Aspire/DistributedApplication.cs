using Lab.AppHost.LocalHost;
using Lab.AppHost.LocalHost.Dashboard;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting;

/// <summary>Collects the resources of an application; see <see cref="DistributedApplication.CreateBuilder"/>.</summary>
public interface IDistributedApplicationBuilder
{
    /// <summary>The AppHost's own configuration: command line, environment variables, appsettings.json.</summary>
    ConfigurationManager Configuration { get; }

    /// <summary>The AppHost's environment; its name is Production unless <c>DOTNET_ENVIRONMENT</c> says otherwise.</summary>
    IHostEnvironment Environment { get; }

    /// <summary>Closes the collection.</summary>
    DistributedApplication Build();
}

/// <summary>An application of several processes that are started, watched and stopped together.</summary>
public sealed class DistributedApplication
{
    private readonly LocalBuilder _builder;

    internal DistributedApplication(LocalBuilder builder) => _builder = builder;

    /// <summary>Begins a new application.</summary>
    /// <param name="args">The command line of the AppHost.</param>
    public static IDistributedApplicationBuilder CreateBuilder(string[] args)
    {
        // The watchdog is this same executable: nothing further to build, ship or find. It never returns from here.
        if (args is [Watchdog.Argument])
            Environment.Exit(Watchdog.Run(Console.In));
        return new LocalBuilder(args);
    }

    /// <summary>
    /// Starts every resource and returns when SIGINT, SIGTERM, SIGQUIT or SIGHUP has stopped them all. The exit code of the
    /// AppHost becomes 1 if nothing could be started.
    /// </summary>
    public void Run()
    {
        using var signals = new StopSignals();
        var output = new Output(Console.Out, Output.WantsColour(), _builder.Resources.Select(resource => resource.Name));
        var settings = DashboardSettings.From(_builder.Configuration);
        var cluster = new Cluster(_builder.Resources, _builder.Environment.IsDevelopment(), settings, output, new Timing(), TimeProvider.System);
        Environment.ExitCode = cluster.RunAsync(signals.Stop, signals.Hurry).GetAwaiter().GetResult();
    }
}
