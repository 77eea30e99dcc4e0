using System.CommandLine;
using Lab.Bench.Dispatch;

var root = new RootCommand("Measures Lab, side by side with its peers.")
{
    DispatchCommand.Create(),
    ScalingCommand.Create(),
    StubWorkers.CreateCommand(),
    YarpProxy.CreateCommand(),
};
return await root.Parse(args).InvokeAsync();
