using Lab.Ec2Deployer.Tests;
using Lab.Ec2Deployer.Tests.Rig;
using Xunit.MicrosoftTestingPlatform;

// The tests run in a network namespace of their own where this machine allows it, so that the rig's hosts can be
// reached by addresses that exist nowhere else.
RigNamespace.Enter();
return args.Contains("--server") || args.Contains("--internal-msbuild-node")
    ? await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions)
    : await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
