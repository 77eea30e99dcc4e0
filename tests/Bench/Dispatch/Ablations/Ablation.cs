namespace Lab.Bench.Dispatch.Ablations;

/// <summary>What a library does in the place of the orchestrator's own code.</summary>
[Flags]
internal enum Ablation
{
    /// <summary>The orchestrator as it is.</summary>
    None = 0,

    /// <summary><see cref="HttpMessageInvoker"/> for the calls to workers.</summary>
    Invoker = 1,

    /// <summary>The serializer for what workers answer.</summary>
    ReadBySerializer = 2,

    /// <summary>Authentication, authorization and rate limiter for every request.</summary>
    OrdinaryAccess = 4,

    /// <summary>All of them.</summary>
    All = Invoker | ReadBySerializer | OrdinaryAccess,
}
