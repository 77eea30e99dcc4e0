using System.Runtime.Versioning;

// What is deployed to is Linux, and so is what the hosts of the rig are made of.
[assembly: SupportedOSPlatform("linux")]

// Two stories on real hosts wait most of the time: the others need not wait for them.
[assembly: Xunit.v3.Parallelization(MaxThreads = 4)]
