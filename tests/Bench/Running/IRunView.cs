using Lab.Bench.Load;
using Lab.Bench.Recording;

namespace Lab.Bench.Running;

/// <summary>Shows a run while it goes on.</summary>
internal interface IRunView
{
    /// <summary>Shows the run until it has ended.</summary>
    /// <param name="plan">What is run.</param>
    /// <param name="look">Tells how far it is; may be called at any time.</param>
    /// <param name="time">The clock.</param>
    /// <param name="ended">Cancelled when the run has ended.</param>
    Task ShowAsync(LoadPlan plan, Func<RunProgress> look, TimeProvider time, CancellationToken ended);
}
