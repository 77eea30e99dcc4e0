using System.Diagnostics.Metrics;
using CsCheck;
using Lab.Orchestrator.Dispatch;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Lab.Orchestrator.Tests.Dispatch.Schedules;

/// <summary>Random schedules of everything that can happen to a dispatcher, each checked step by step against its rules.</summary>
public sealed class ScheduleTests
{
    private const int Schedules = 5_000;
    private static readonly DispatchMetrics Metrics =
        new(new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>());

    // Arrivals and replies are what mostly happens; the rest must stay rare enough for queues to form.
    private static readonly Gen<StepKind> Kinds = Gen.Frequency(
        (8, Gen.Const(StepKind.Submit)), (2, Gen.Const(StepKind.SubmitBatch)), (2, Gen.Const(StepKind.SubmitJob)),
        (8, Gen.Const(StepKind.Answer)), (1, Gen.Const(StepKind.AnswerAgain)), (2, Gen.Const(StepKind.Busy)), (3, Gen.Const(StepKind.Fail)),
        (2, Gen.Const(StepKind.HangUp)), (4, Gen.Const(StepKind.PassTime)), (1, Gen.Const(StepKind.PassLongTime)),
        (1, Gen.Const(StepKind.Drain)), (2, Gen.Const(StepKind.Resume)), (4, Gen.Const(StepKind.ProbeWell)), (1, Gen.Const(StepKind.ProbeIll)),
        (1, Gen.Const(StepKind.SetWorkers)));

    private static readonly Gen<Step[]> Steps = Gen.Select(Kinds, Gen.Int[0, 1000], Gen.Int[0, 200], (kind, who, amount) => new Step(kind, who, amount)).Array[1, 120];

    [Fact]
    public void Dispatcher_AnySchedule_KeepsTheRules() =>
        Steps.Sample(steps => Schedule.Run(steps, Shipped), iter: Schedules, print: Print);

    [Fact]
    public void NaiveDispatcher_WithoutDefect_KeepsTheRules() =>
        Steps.Sample(steps => Schedule.Run(steps, Naive(Defect.None)), iter: Schedules / 5, print: Print);

    public static TheoryData<string> Defects => [.. Enum.GetNames<Defect>().Where(name => name != nameof(Defect.None))];

    [Theory]
    [MemberData(nameof(Defects))]
    public void NaiveDispatcher_WithADefect_IsCaught(string defect) =>
        Assert.Throws<CsCheckException>(() => Steps.Sample(
            steps => Schedule.Run(steps, Naive(Enum.Parse<Defect>(defect))), iter: Schedules / 2, print: Print));

    private static ShippedSubject Shipped(OrchestratorOptions options, FakeTimeProvider time, IDispatchEffects effects) =>
        new(new(options, time, new Random(1), effects, Metrics, NullLogger.Instance));

    private static Func<OrchestratorOptions, FakeTimeProvider, IDispatchEffects, ISubject> Naive(Defect defect) =>
        (options, time, effects) => new NaiveSubject(options, time, effects, defect);

    private static string Print(Step[] steps) => string.Join("\n", steps.Select(step => $"{step.Kind} {step.Who} {step.Amount}"));
}
