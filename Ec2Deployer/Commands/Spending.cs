using System.Globalization;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary>The price of what is about to be started, and the question whether it shall be.</summary>
internal static class Spending
{
    /// <summary>Tells the price and asks; nothing, where nothing is started.</summary>
    /// <param name="context">The command.</param>
    /// <param name="plan">What is about to be done.</param>
    /// <exception cref="DeploymentException">The answer is no, or nobody can be asked.</exception>
    public static void Agree(CommandContext context, DeploymentPlan plan)
    {
        foreach (var note in plan.Notes) context.Progress.Note(note);
        if (plan.Starting.Count == 0) return;
        var price = Price(plan, context.Time.GetUtcNow());
        if (context.Yes)
        {
            context.Progress.Note($"Starts {price}.");
            return;
        }

        if (!context.Screen.Asks)
            throw new DeploymentException(ExitCode.Usage, $"Nobody can be asked here whether to start {price}: add --yes to do it without a question. Nothing was started.");
        if (!context.Screen.Confirm($"Start {price}?")) throw new DeploymentException(ExitCode.Failed, "Nothing was started.");
    }

    /// <summary>Such as <c>3 hosts for 0.31 US dollars an hour, 1.24 until they end after 4h</c>.</summary>
    /// <param name="plan">What is about to be done.</param>
    /// <param name="now">The present moment.</param>
    public static string Price(DeploymentPlan plan, DateTimeOffset now)
    {
        var cost = plan.StartingCost;
        var hosts = plan.Starting.Count == 1 ? $"1 host ({plan.Starting[0]})" : string.Create(CultureInfo.InvariantCulture, $"{plan.Starting.Count} hosts");
        if (cost.HourlyUsd is not { } hourly)
            return $"{hosts} at {Money.PerHour(cost, plan.Options.Region)}";
        var text = $"{hosts} for {Money.PerHour(cost, plan.Options.Region)}";
        if (plan.EndOfStarting(now) is { } end)
        {
            // What counts from a first start is said as it was asked for; of a moment that is set already, only that is true.
            var when = plan.Options.Ttl is { } ttl && now + ttl == end ? $"after {Durations.Text(ttl)}" : $"at {HostEnd.Text(end)}";
            text += $", {Money.Sum(hourly * Math.Max(0, (decimal)(end - now).TotalHours))} until {(plan.Starting.Count == 1 ? "it ends" : "they end")} {when}";
        }

        if (plan.Hosts.Count > plan.Starting.Count && plan.Cost.HourlyUsd is { } together) text += $" ({Money.Rate(together)} an hour with those that run)";
        return text + FormattableString.Invariant($", list prices of {cost.AsOf:yyyy-MM-dd} without tax and traffic");
    }
}
