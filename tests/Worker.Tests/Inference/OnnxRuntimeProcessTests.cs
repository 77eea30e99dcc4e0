using Lab.Worker.Inference;

namespace Lab.Worker.Tests.Inference;

public sealed class OnnxRuntimeProcessTests
{
    [Fact]
    public void DisableTelemetry_NativeCode_SeesTheVariable()
    {
        OnnxRuntimeProcess.DisableTelemetry();

        Assert.Equal("1", OnnxRuntimeProcess.NativeTelemetryVariable());
    }
}
