using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Newtonsoft.Json.Linq;
using NJsonSchema;
using NJsonSchema.CodeGeneration.CSharp;
using NSwag;
using NSwag.CodeGeneration.CSharp;
using NSwag.CodeGeneration.OperationNameGenerators;

namespace Lab.Orchestrator.Tests.Api;

/// <summary>What is generated from the OpenAPI document.</summary>
public sealed class GeneratedClientTests
{
    private const string Program = """
        using System.Net.Http;
        using System.Threading.Tasks;
        using Lab.Generated;

        public static class Program
        {
            public static async Task<string> RunAsync(HttpClient http)
            {
                var client = new LabClient(http);
                var answer = await client.NewRequestAsync(null, null, new TextBody { Text = "What a wonderful film!" });
                var texts = await client.ClassifyTextsAsync(new InferenceApiBody { Inputs = "a", Parameters = new Parameters { Top_k = 1 } });
                foreach (var text in texts)
                    foreach (var score in text) return $"{answer.Label} {answer.Probabilities.Count} {answer.Inference_ms} {score.Label} {score.Score}";
                return "";
            }

            public static async Task<string> FailAsync(HttpClient http)
            {
                try
                {
                    await new LabClient(http).DrainWorkerAsync("nobody");
                    return "";
                }
                catch (LabException<ProblemDetails> e)
                {
                    return $"{e.StatusCode} {e.Result.Detail}";
                }
            }
        }
        """;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task NSwag_OfTheDocument_MakesAClientThatClassifiesAText()
    {
        await using var lab = await RunningOrchestrator.StartAsync(workers: 1);
        var document = await OpenApiDocument.FromJsonAsync(await lab.Client.GetStringAsync("/openapi/v1.json", Cancellation), Cancellation);
        var source = new CSharpClientGenerator(document, new()
        {
            ClassName = "LabClient",
            ExceptionClass = "LabException",
            UseBaseUrl = false,
            OperationNameGenerator = new SingleClientFromOperationIdOperationNameGenerator(),
            CSharpGeneratorSettings = { Namespace = "Lab.Generated", JsonLibrary = CSharpJsonLibrary.SystemTextJson },
        }).GenerateFile();
        var program = Compile(source, Program).GetType("Program")!;
        Assert.Equal("POSITIVE 2 1.5 POSITIVE 0.75", await RunAsync(program, "RunAsync", lab.Client));
        Assert.Equal("404 There is no worker named nobody.", await RunAsync(program, "FailAsync", lab.Client));
    }

    [Fact]
    public async Task Document_EveryExample_FitsItsSchema()
    {
        await using var lab = await RunningOrchestrator.StartAsync(workers: 0);
        var document = await OpenApiDocument.FromJsonAsync(await lab.Client.GetStringAsync("/openapi/v1.json", Cancellation), Cancellation);
        var contents = document.Operations
            .SelectMany(operation => operation.Operation.ActualResponses
                .SelectMany(response => response.Value.Content.Select(content => (Where: $"{operation.Operation.OperationId} {response.Key}", content.Value)))
                .Concat(operation.Operation.RequestBody?.Content.Select(content => (Where: $"{operation.Operation.OperationId} body", content.Value)) ?? []))
            .ToList();
        Assert.True(contents.Count > 100);
        Assert.All(contents, content =>
        {
            var example = content.Value.Example;
            Assert.NotNull(example);
            var faults = content.Value.Schema.Validate(example as JToken ?? JToken.FromObject(example), SchemaType.OpenApi3);
            Assert.True(faults.Count == 0, $"{content.Where}: {string.Join("; ", faults)}");
        });
    }

    private static async Task<string> RunAsync(Type program, string method, HttpClient client) =>
        await (Task<string>)program.GetMethod(method)!.Invoke(null, [client])!;

    private static Assembly Compile(params string[] sources)
    {
        var compilation = CSharpCompilation.Create(
            "Generated",
            sources.Select(source => CSharpSyntaxTree.ParseText(source, cancellationToken: Cancellation)),
            ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(path => MetadataReference.CreateFromFile(path)),
            new(OutputKind.DynamicallyLinkedLibrary));
        using var assembly = new MemoryStream();
        var result = compilation.Emit(assembly, cancellationToken: Cancellation);
        Assert.True(result.Success, string.Join('\n', result.Diagnostics.Where(found => found.Severity is DiagnosticSeverity.Error).Append<object>(string.Join('\n', sources))));
        assembly.Position = 0;
        return AssemblyLoadContext.Default.LoadFromStream(assembly);
    }
}
