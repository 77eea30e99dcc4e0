using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using SessionOptions = Microsoft.ML.OnnxRuntime.SessionOptions;

namespace Lab.Worker.Compilation;

/// <summary>ONNX Runtime's settings: the process's own, and those that all sessions share.</summary>
internal static partial class OnnxRuntimeProcess
{
    /// <summary>The environment variable by which the native library is told to send nothing.</summary>
    public const string TelemetryVariable = "ORT_DISABLE_TELEMETRY";

    private static int _isSilent;

    /// <summary>
    /// Turns the runtime's own telemetry off, whatever the environment says. Must be called before anything else of
    /// the runtime: the native library reads the variable when its environment is created.
    /// </summary>
    public static void DisableTelemetry()
    {
        SilenceTelemetry();
        OrtEnv.Instance().DisableTelemetryEvents();
    }

    /// <summary>
    /// The part of <see cref="DisableTelemetry"/> that changes the environment, which native code must not read
    /// meanwhile: to be called before there are other threads. Only the first call does anything.
    /// </summary>
    public static void SilenceTelemetry()
    {
        if (Interlocked.Exchange(ref _isSilent, 1) == 1) return;
        Environment.SetEnvironmentVariable(TelemetryVariable, "1");
        // On Unix .NET keeps its own copy of the environment, which native code does not see.
        if (!OperatingSystem.IsWindows() && SetEnv(TelemetryVariable, "1", 1) != 0)
            throw new InvalidOperationException($"{TelemetryVariable} cannot be set.");
    }

    /// <summary>The runtime's version.</summary>
    public static string Version
    {
        get
        {
            DisableTelemetry();
            return OrtEnv.Instance().GetVersionString();
        }
    }

    /// <summary>The options of a session, to be disposed by the caller.</summary>
    /// <param name="threads">Threads that work on one computation.</param>
    /// <param name="level">How far the graph is optimised when the session is opened.</param>
    public static SessionOptions Options(int threads, GraphOptimizationLevel level) => new()
    {
        IntraOpNumThreads = threads,
        InterOpNumThreads = 1,
        ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
        GraphOptimizationLevel = level,
        // It would remember a plan for every shape, and there is no end of shapes.
        EnableMemoryPattern = false,
        LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
    };

    /// <summary>The variable as native code sees it.</summary>
    public static string? NativeTelemetryVariable() =>
        OperatingSystem.IsWindows()
            ? Environment.GetEnvironmentVariable(TelemetryVariable)
            : Marshal.PtrToStringUTF8(GetEnv(TelemetryVariable));

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnv(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "getenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint GetEnv(string name);
}
