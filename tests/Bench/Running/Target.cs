namespace Lab.Bench.Running;

/// <summary>Whom to ask, and how.</summary>
/// <param name="Orchestrator">The orchestrator's address.</param>
/// <param name="Key">The API key, or <c>null</c>.</param>
/// <param name="Patience">How long an answer is waited for.</param>
/// <param name="Tolerance">By how much a probability may differ from the known one.</param>
/// <param name="Fingerprint">SHA-256 of the certificate that is believed whoever signed it; <c>null</c> for none.</param>
internal sealed record Target(Uri Orchestrator, string? Key, TimeSpan Patience, double Tolerance, byte[]? Fingerprint = null);
