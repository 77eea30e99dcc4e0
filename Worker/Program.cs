using Lab.Worker;

var app = WorkerApplication.Create(args);
return await WorkerApplication.ServeAsync(app);
