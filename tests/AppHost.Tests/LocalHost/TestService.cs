using System.Collections;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Lab.AppHost.LocalHost;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Lab.AppHost.Tests.LocalHost;

/// <summary>A service for tests: this executable again, when the variable is set. Its value says how it behaves.</summary>
internal sealed class TestService : IBuiltProject
{
    /// <summary>
    /// Words, separated by spaces: <c>health=FILE</c> (not ready until the file exists), <c>crash=CODE</c> (ends at once),
    /// <c>stubborn</c> (ignores SIGTERM), <c>child</c> (has a child process that nobody ends).
    /// </summary>
    public const string Variable = "LAB_TEST_SERVICE";

    public string ProjectPath => Path.Combine(Path.GetDirectoryName(TargetPath)!, "AppHost.Tests.csproj");

    public string TargetPath => typeof(TestService).Assembly.Location;

    public static async Task<int> RunAsync()
    {
        var words = Environment.GetEnvironmentVariable(Variable)!.Split(' ').Select(word => word.Split('=', 2))
            .ToDictionary(pair => pair[0], pair => pair.ElementAtOrDefault(1) ?? "");
        if (words.TryGetValue("crash", out var code))
        {
            Console.WriteLine("I cannot start for lack of a reason.");
            return int.Parse(code, System.Globalization.CultureInfo.InvariantCulture);
        }

        using var stubborn = words.ContainsKey("stubborn")
            ? PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => context.Cancel = true)
            : null;
        using var child = words.ContainsKey("child") ? Process.Start("sleep", "600") : null;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.MapGet("/health", () => !words.TryGetValue("health", out var file) || File.Exists(file) ? Results.Ok() : Results.StatusCode(503));
        app.MapGet("/environment", () => Results.Json(Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Append(new DictionaryEntry("cwd", Environment.CurrentDirectory))
            .ToDictionary(pair => (string)pair.Key, pair => (string?)pair.Value)));
        app.MapGet("/id", () => Environment.ProcessId);
        app.MapGet("/child", () => child?.Id ?? 0);
        Console.WriteLine("I am starting.");
        if (stubborn is null)
            await app.RunAsync();
        else
        {
            await app.StartAsync();
            await Task.Delay(TimeSpan.FromMinutes(10));
        }

        return 0;
    }
}
