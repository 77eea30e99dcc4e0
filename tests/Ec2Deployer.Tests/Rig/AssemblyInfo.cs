using System.Runtime.Versioning;

// What is deployed to is Linux, and so is what the hosts of the rig are made of.
[assembly: SupportedOSPlatform("linux")]
