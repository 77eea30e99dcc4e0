using System.Globalization;
using Lab.Bench.Load;
using Lab.Bench.Recording;
using Lab.Bench.Reporting;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Lab.Bench.Running;

/// <summary>The run as it goes, on a terminal.</summary>
internal sealed class LiveView(IAnsiConsole console) : IRunView
{
    private const int MostBars = 16;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    public Task ShowAsync(LoadPlan plan, Func<RunProgress> look, TimeProvider time, CancellationToken ended) =>
        console.Live(Render(plan, look())).AutoClear(true).StartAsync(async live =>
        {
            while (!ended.IsCancellationRequested)
            {
                await Task.Delay(Interval, time, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                live.UpdateTarget(Render(plan, look()));
            }
        });

    private static Rows Render(LoadPlan plan, RunProgress progress)
    {
        var rows = new List<IRenderable>
        {
            new Markup($"[bold]{Markup.Escape(plan.Describe())}[/]  [dim]{progress.Elapsed.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture)} s, Ctrl-C ends it early[/]"),
            new Markup($"sent [bold]{Numbers.Count(progress.Sent)}[/]   answered [bold]{Numbers.Count(progress.Answered)}[/]   {Numbers.Rate(progress.Elapsed.TotalSeconds > 0 ? progress.Answered / progress.Elapsed.TotalSeconds : 0)}/s   p50 {Numbers.Ms(progress.P50)}   p95 {Numbers.Ms(progress.P95)}   p99 {Numbers.Ms(progress.P99)} ms"),
        };
        var bad = new List<string>();
        if (progress.Wrong > 0) bad.Add($"[red]wrong {progress.Wrong}[/]");
        if (progress.Lost > 0) bad.Add($"[red]lost {progress.Lost}[/]");
        if (progress.NotSent > 0) bad.Add($"[yellow]not sent {progress.NotSent}[/]");
        bad.AddRange(progress.Refused.Select(reason => $"[yellow]refused {reason.Value}: {Markup.Escape(reason.Key)}[/]"));
        if (bad.Count > 0) rows.Add(new Markup(string.Join("   ", bad)));
        if (progress.Workers.Count > 0)
        {
            var chart = new BarChart().Width(60);
            foreach (var (worker, count) in progress.Workers.Take(MostBars)) chart.AddItem(Markup.Escape(worker), count, Color.Blue);
            rows.Add(chart);
            if (progress.Workers.Count > MostBars) rows.Add(new Markup($"[dim]and {progress.Workers.Count - MostBars} more workers[/]"));
        }

        return new(rows);
    }
}
