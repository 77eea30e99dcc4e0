using System.CommandLine;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace Lab.Bench.Dispatch;

/// <summary>Runs <see cref="DispatchCost"/>.</summary>
internal static class ScalingCommand
{
    public static Command Create()
    {
        var command = new Command("scaling", "Cost of a request in the dispatcher's own decisions, by workers and by requests that wait, in this process.");
        command.SetAction(_ =>
        {
            var job = Job.Default.WithToolchain(InProcessEmitToolchain.Instance).WithWarmupCount(3).WithIterationCount(5);
            BenchmarkRunner.Run<DispatchCost>(DefaultConfig.Instance.AddJob(job).WithArtifactsPath(Path.Combine(Path.GetTempPath(), "lab-bench-scaling")));
        });
        return command;
    }
}
