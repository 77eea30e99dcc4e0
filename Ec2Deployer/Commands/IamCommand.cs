using System.CommandLine;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary><c>iam</c>: the least policy with which every command works. Asks nobody.</summary>
internal static class IamCommand
{
    public static Command Create(CommandEnvironment environment) =>
        new Command("iam", "Print the least IAM policy with which every command works, as JSON to paste; with --name for that deployment alone. Needs no AWS account.")
            .Does(environment, (context, parse, _) =>
            {
                var name = parse.GetResult(Settings.Name) is { Implicit: false } ? context.Options.Name : null;
                context.Screen.Json(IamPolicy.Document(name, context.Options.Region, IamPolicy.Grants));
                return Task.FromResult(ExitCode.Done);
            }).Refuses("it asks nobody, and the policy holds for whoever has it.", Settings.Owner, Settings.Endpoint);
}
