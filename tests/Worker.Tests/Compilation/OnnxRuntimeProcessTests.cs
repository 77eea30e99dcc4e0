using Lab.Worker.Compilation;

namespace Lab.Worker.Tests.Compilation;

public sealed class OnnxRuntimeProcessTests
{
    [Fact]
    public void DisableTelemetry_NativeCode_SeesTheVariable()
    {
        OnnxRuntimeProcess.DisableTelemetry();

        Assert.Equal("1", OnnxRuntimeProcess.NativeTelemetryVariable());
    }
}
