using System.CommandLine;

var root = new RootCommand("Puts Lab on EC2: one orchestrator and two workers on each of the worker hosts.");
return await root.Parse(args).InvokeAsync();
