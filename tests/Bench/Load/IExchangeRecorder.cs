namespace Lab.Bench.Load;

/// <summary>Takes down what happens to requests. Called from any thread.</summary>
internal interface IExchangeRecorder
{
    /// <summary>A request is being sent.</summary>
    void Sent();

    /// <summary>A request has ended, or was not sent at all.</summary>
    void Ended(in Exchange exchange);
}
