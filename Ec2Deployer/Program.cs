using System.Runtime.InteropServices;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Commands;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Packaging;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Swarm;

// The first Ctrl-C lets the call under way end and begins no other; the second ends the program as usual.
using var interrupted = new CancellationTokenSource();
void Interrupt(PosixSignalContext signal)
{
    signal.Cancel = !interrupted.IsCancellationRequested;
    interrupted.Cancel();
}

using var ctrlC = PosixSignalRegistration.Create(PosixSignal.SIGINT, Interrupt);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Interrupt);
using var http = new HttpClient();

return await DeployerApp.RunAsync(args, new CommandEnvironment
{
    Out = Console.Out,
    Error = Console.Error,
    In = Console.In,
    OutIsTerminal = !Console.IsOutputRedirected,
    ErrorIsTerminal = !Console.IsErrorRedirected,
    InIsTerminal = !Console.IsInputRedirected,
    Ec2 = Ec2Clients.TryCreateAsync,
    Identity = StsCaller.Create,
    ConfiguredRegion = Ec2Clients.ConfiguredRegion,
    ConfiguredEndpoint = Ec2Clients.ConfiguredEndpoint,
    ReadSecret = SecretInput.ReadLine,
    Caller = new CallerAddress(http, TimeProvider.System),
    Fleet = () => new FleetDeployer(SolutionDirectory.Find(), http, TimeProvider.System, StackTimes.Default, ConnectTimes.Default),
    LoadGenerator = () => ["dotnet", "run", "--configuration", "Release", "--project", Path.Combine(SolutionDirectory.Find(), "tests", "Bench"), "--"],
    // Under dotnet the process is not the program.
    Self = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [Environment.ProcessPath!, typeof(DeployerApp).Assembly.Location] : [Environment.ProcessPath!],
    Home = DeploymentDirectory.DefaultHome(),
}, interrupted.Token);
