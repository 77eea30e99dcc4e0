using System.CommandLine;
using Lab.Bench.Load;

namespace Lab.Bench.Commands;

/// <summary>The options that say when requests are sent.</summary>
internal sealed class LoadOptions
{
    private const int UsualParallel = 5;
    private const int UsualRounds = 4;
    private const int UsualClients = 64;
    private const int UsualOutstanding = 4096;
    private const int MostClients = 100_000;
    private const double MostRequests = 100_000_000;

    /// <summary>Of loops that are given none.</summary>
    public static readonly TimeSpan UsualDuration = TimeSpan.FromSeconds(30);

    private readonly Option<int> _parallel = Settings.Positive<int>("--parallel", $"The lab's form: so many requests at the same moment (default {UsualParallel}).", most: MostClients);
    private readonly Option<int> _rounds = Settings.Positive<int>("--rounds", $"With --parallel: how often; a round begins when the last one has ended (default {UsualRounds}).", most: 1_000_000);
    private readonly Option<int> _clients = Settings.Positive<int>("--clients", $"Closed loop: so many clients, each sends when it has its answer (default {UsualClients}).", most: MostClients);
    private readonly Option<double> _rate = Settings.Positive<double>("--rate", "Open loop: so many requests a second, whatever becomes of them; latency counts from the moment at which each was to be sent.", most: 1_000_000);
    private readonly Option<TimeSpan> _duration = Settings.Duration("--duration", "With --clients or --rate: how long to send (default 30s).");
    private readonly Option<int> _outstanding = Settings.Positive<int>("--max-outstanding", "With --rate: more than these never wait for their answers; what the schedule wants beyond is not sent, and told.", UsualOutstanding, MostClients);

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_parallel, _rounds, _clients, _rate, _duration, _outstanding]) command.Add(option);
        command.Validators.Add(result =>
        {
            bool Given(Option option) => result.GetResult(option) is { Implicit: false };
            var rounds = Given(_parallel) || Given(_rounds);
            if (rounds && (Given(_clients) || Given(_rate) || Given(_duration)))
                result.AddError("--parallel and --rounds are one form, --clients or --rate with --duration are others: choose one.");
            else if (Given(_clients) && Given(_rate))
                result.AddError("--clients (closed loop) and --rate (open loop) are two forms: choose one.");
            else if (Given(_outstanding) && !Given(_rate))
                result.AddError("--max-outstanding needs --rate.");
            else if (Given(_rate) && result.GetValue(_rate) * Duration(result).TotalSeconds > MostRequests)
                result.AddError("--rate and --duration make more than a hundred million requests.");

            TimeSpan Duration(System.CommandLine.Parsing.CommandResult of) => Given(_duration) ? of.GetValue(_duration) : UsualDuration;
        });
    }

    /// <summary>When to send.</summary>
    /// <param name="parse">The command line.</param>
    /// <param name="usual">What to do where it says nothing; by default the lab's form. Of an open loop, rate and duration can be said alone.</param>
    public LoadPlan Plan(ParseResult parse, LoadPlan? usual = null)
    {
        bool Given(Option option) => parse.GetResult(option) is { Implicit: false };
        var open = usual as OpenPlan;
        var duration = Given(_duration) ? parse.GetValue(_duration) : open?.Duration ?? UsualDuration;
        if (open is not null && Given(_duration) && !Given(_rate) && !Given(_clients)) return open with { Duration = duration };
        if (Given(_rate)) return new OpenPlan(parse.GetValue(_rate), duration, parse.GetValue(_outstanding));
        if (Given(_clients) || Given(_duration)) return new ClosedPlan(Given(_clients) ? parse.GetValue(_clients) : UsualClients, duration);
        if (usual is not null && !Given(_parallel) && !Given(_rounds)) return usual;
        return new RoundsPlan(Given(_parallel) ? parse.GetValue(_parallel) : UsualParallel, Given(_rounds) ? parse.GetValue(_rounds) : UsualRounds);
    }
}
