using Lab.AppHost.LocalHost;
using Lab.AppHost.Tests;
using Lab.AppHost.Tests.LocalHost;
using Xunit.MicrosoftTestingPlatform;

if (Environment.GetEnvironmentVariable(TestService.Variable) is not null && args.Length == 0)
    return await TestService.RunAsync();
if (args is [TestAppHost.Argument, ..] or [Watchdog.Argument])
    return TestAppHost.Run(args);
return args.Contains("--server") || args.Contains("--internal-msbuild-node")
    ? await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions)
    : await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
