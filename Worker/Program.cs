using Lab.Worker;
using Lab.Worker.ModelCommands;

if (args is ["model", ..]) return await ModelCommand.RunAsync(args);

var app = WorkerApplication.Create(args);
return await WorkerApplication.ServeAsync(app);
