using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text;
using Lab.Bench.Dispatch;

namespace Lab.Bench.Peers;

/// <summary>Two processes with the same model behind one address: Lab, YARP before Lab's workers, gunicorn with Flask and PyTorch.</summary>
/// <param name="model">The model directory.</param>
/// <param name="worker">Worker.dll.</param>
internal sealed class InferencePeers(string model, string worker)
{
    public const int WorkerCount = 2;
    private const int FirstPort = 18140;
    private const string Gunicorn = "gunicorn";

    // Debian's PyTorch belongs to Debian's Python, and another one may come first in PATH.
    private const string Python = "/usr/bin/python3";

    private static readonly TimeSpan ReadyTimeout = TimeSpan.FromSeconds(120);

    /// <summary>What wrk sends: the load generator's own sentences, in turn.</summary>
    public static string Script(IEnumerable<string> texts) => $$"""
        local texts = { {{string.Join(", ", texts.Select(text => $"\"{text}\""))}} }
        local at = 0
        wrk.method = "POST"
        wrk.headers["Content-Type"] = "text/plain"
        function request()
          at = at % #texts + 1
          return wrk.format(nil, nil, nil, texts[at])
        end
        """;

    /// <summary>Starts them, those that are installed.</summary>
    /// <param name="directory">For caches and jobs; exists.</param>
    /// <param name="children">Takes every process that was started, for the caller to end, also when this throws.</param>
    /// <param name="cancellation">Ends the wait for them.</param>
    public async Task<IReadOnlyList<Subject>> StartAsync(string directory, List<Child> children, CancellationToken cancellation)
    {
        var workers = new List<Child>();
        for (var i = 0; i < WorkerCount; i++) workers.Add(await Keep(StartWorkerAsync(FirstPort + i, directory)));
        var orchestrator = await Keep(StartOrchestratorAsync(FirstPort + 8, directory));
        var yarp = await Keep(Child.StartAsync("dotnet", [Assembly.GetExecutingAssembly().Location, "yarp", "--port", Text(FirstPort + 9), "--workers", Text(FirstPort), "--count", Text(WorkerCount)], FirstPort + 9));
        var subjects = new List<Subject>
        {
            new("Lab: orchestrator and two workers", Address(8, "/new_request"), [orchestrator, .. workers]),
            new("YARP before the same two workers", Address(9, "/run_model"), [yarp, .. workers]),
        };
        if (await HasPyTorchAsync())
        {
            var flask = await Keep(Child.StartAsync(Gunicorn,
                ["--workers", Text(WorkerCount), "--chdir", Path.Combine(AppContext.BaseDirectory, "Inference"), "--bind", $"127.0.0.1:{Text(FirstPort + 10)}", "flask_app:app"],
                FirstPort + 10, new Dictionary<string, string> { ["MODEL_DIRECTORY"] = model }));
            subjects.Add(new("gunicorn, Flask and PyTorch, two processes", Address(10, "/run_model"), flask));
        }

        foreach (var subject in subjects) await UntilAnswersAsync(subject, cancellation);
        return subjects;

        async Task<Child> Keep(Task<Child> starting)
        {
            var child = await starting;
            children.Add(child);
            return child;
        }
    }

    private static string Address(int offset, string path) => $"http://127.0.0.1:{Text(FirstPort + offset)}{path}";

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static async Task<bool> HasPyTorchAsync()
    {
        try
        {
            await Child.RunAsync(Gunicorn, "--version");
            await Child.RunAsync(Python, "-c", "import torch, flask");
            return true;
        }
        catch (Exception e) when (e is Win32Exception or InvalidOperationException)
        {
            Console.Error.WriteLine("gunicorn, Flask or PyTorch is not installed and left out (Debian: apt-get install gunicorn python3-flask python3-torch libopenblas0-openmp).");
            return false;
        }
    }

    private static async Task UntilAnswersAsync(Subject subject, CancellationToken cancellation)
    {
        using var client = new HttpClient { Timeout = ReadyTimeout };
        var begun = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                using var content = new StringContent("a", Encoding.UTF8, "text/plain");
                using var response = await client.PostAsync(new Uri(subject.Address), content, cancellation);
                if (response.IsSuccessStatusCode) return;
            }
            catch (HttpRequestException)
            {
                // Not ready yet.
            }

            if (Stopwatch.GetElapsedTime(begun) > ReadyTimeout)
                throw new BenchException(ExitCode.Failed, $"{subject.Name} does not answer after {ReadyTimeout.TotalSeconds:0} s.");
            await Task.Delay(100, cancellation);
        }
    }

    private static Task<Child> StartOrchestratorAsync(int port, string directory) =>
        ShippedOrchestrator.StartAsync(port, Path.Combine(directory, "jobs-inference.db"), FirstPort, WorkerCount);

    private Task<Child> StartWorkerAsync(int port, string directory) =>
        Child.StartAsync("dotnet", [worker, $"--urls=http://localhost:{port}"], port, new Dictionary<string, string>
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Production",
            ["Worker__ModelDirectory"] = model,
            ["Worker__CacheDirectory"] = Path.Combine(directory, "cache"),
            // A plain proxy sends a worker more than one request at once.
            ["Worker__QueueLimit"] = "64",
            ["ORT_DISABLE_TELEMETRY"] = "1",
        });
}
