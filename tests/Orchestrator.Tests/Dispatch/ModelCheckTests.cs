using Lab.Orchestrator.Dispatch;
using Lab.Orchestrator.Tests.Api;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Tests.Dispatch;

public sealed class ModelCheckTests
{
    public static TheoryData<string, string[]> Faulty => new()
    {
        { "label twice", ["A", "A"] },
        { "no label for 1", ["A", ""] },
        { "no label for 0", ["A\n", "B"] },
        { "no label for 1", ["A", null!] },
        { "no label for 0", [new('L', WireName.MaxLength + 1)] },
        { "more than 10000", [.. Enumerable.Range(0, ModelCheck.MaxLabels + 1).Select(i => $"{i}")] },
    };

    [Fact]
    public void Fault_AModel_IsNone()
    {
        Assert.Null(ModelCheck.Fault(StubWorker.ModelNamed("stub")));
        Assert.Null(ModelCheck.Fault(StubWorker.ModelNamed("größe/文") with { ModelDtype = null!, Version = null! }));
        Assert.Null(ModelCheck.Fault(Of([.. Enumerable.Range(0, ModelCheck.MaxLabels).Select(i => $"{i}")])));
    }

    [Theory]
    [MemberData(nameof(Faulty))]
    public void Fault_LabelsThatAreNone_IsNamed(string fault, string[] labels) => Assert.Contains(fault, ModelCheck.Fault(Of(labels)), StringComparison.Ordinal);

    [Fact]
    public void Fault_MembersThatAreNullOrNone_IsNamed()
    {
        var model = StubWorker.ModelNamed("stub");
        Assert.All(
            [null, model with { ModelId = null! }, model with { ModelSha = null! }, model with { ModelType = null! }, model with { ModelType = new(null!) }, model with { ModelType = new(new(null!, null!)) }],
            missing => Assert.Contains("no model", ModelCheck.Fault(missing), StringComparison.Ordinal));
        Assert.All(
            [model with { ModelId = "a\nb" }, model with { ModelSha = "" }, model with { ModelDtype = new('x', 1000) }, model with { Version = "\ud83d" }],
            named => Assert.Contains("a name that is none", ModelCheck.Fault(named), StringComparison.Ordinal));
    }

    [Fact]
    public void Fault_ProblemType_IsOneOfThree()
    {
        var model = StubWorker.ModelNamed("stub");
        Assert.All(Enum.GetValues<ProblemType>(), problem => Assert.Null(ModelCheck.Fault(model with { ProblemType = problem })));
        Assert.Contains("problem type", ModelCheck.Fault(model with { ProblemType = (ProblemType)7 }), StringComparison.Ordinal);
    }

    // A dictionary from label to id cannot be made of all of these.
    private static ModelInfo Of(string[] labels) => StubWorker.ModelNamed("stub") with
    {
        ModelType = new(new(labels.Index().ToDictionary(label => $"{label.Index}", label => label.Item), null!)),
    };
}
