using System.CommandLine;
using Lab.Ec2Deployer.Planning;

namespace Lab.Ec2Deployer.Commands;

/// <summary>The options that ask for worker hosts on spot.</summary>
internal static class SpotOptions
{
    /// <summary>Whether there are any; without a value: yes.</summary>
    public static Setting Spot { get; } = new(
        new("--spot")
        {
            Description = "Ask for worker hosts from host-3 on as spot instances, which EC2 may take back, and where it has none on demand [default: no]",
            HelpName = "yes|no",
            Arity = ArgumentArity.ZeroOrOne,
            CustomParser = result => result.Tokens is [var token] ? token.Value : "yes",
        },
        (options, value) => options with { Spot = value switch { "yes" or "true" => true, "no" or "false" => false, _ => throw new FormatException("yes or no.") } });

    /// <summary>What each may cost.</summary>
    public static Setting Price { get; } = new(
        new("--spot-price") { Description = "The most that a spot instance may cost, in US dollars an hour, such as 0.04 [default: its price on demand]", HelpName = "USD" },
        (options, value) => options with { SpotPrice = SpotLaunch.Price(value) ?? throw new FormatException("US dollars an hour are asked for, such as 0.04.") });

    /// <summary>What is wrong with the two together on a command line, or null.</summary>
    public static string? Error(ParseResult parse, DeploymentOptions options) =>
        !options.Spot && parse.GetResult(Price.Option) is { Implicit: false } && !string.IsNullOrEmpty(parse.GetValue(Price.Option))
            ? "--spot-price means nothing without --spot: give both, or none."
            : null;

    /// <summary>Adds them to a command that starts hosts.</summary>
    public static Command WithSpot(this Command command)
    {
        command.Add(Spot.Option);
        command.Add(Price.Option);
        return command;
    }
}
