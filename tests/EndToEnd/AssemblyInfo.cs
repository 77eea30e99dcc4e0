using Xunit.Sdk;

// Each class starts whole clusters: one at a time is what two cores can carry.
[assembly: Xunit.v3.Parallelization(Mode = ParallelMode.None)]
