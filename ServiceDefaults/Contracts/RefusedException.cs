namespace Lab.ServiceDefaults.Contracts;

/// <summary>Carries a refusal out of the depth of a parser. Never leaves this folder.</summary>
internal sealed class RefusedException(Refusal refusal) : Exception(refusal.Detail)
{
    public Refusal Refusal { get; } = refusal;
}
