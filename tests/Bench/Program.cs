using System.CommandLine;
using Lab.Bench.Dispatch;
using Lab.Bench.Inference;

var root = new RootCommand("Measures Lab, side by side with its peers.")
{
    DispatchCommand.Create(),
    ScalingCommand.Create(),
    TelemetryCommand.Create(),
    InferenceCommand.Create(),
    StubWorkers.CreateCommand(),
    YarpProxy.CreateCommand(),
};
return await root.Parse(args).InvokeAsync();
