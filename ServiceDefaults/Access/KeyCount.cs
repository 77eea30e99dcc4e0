namespace Lab.ServiceDefaults.Access;

/// <summary>How many keys are in force, for those who share something out between their holders.</summary>
public sealed class KeyCount
{
    private readonly KeyRing _keys;

    internal KeyCount(KeyRing keys) => _keys = keys;

    /// <summary>How many there are now.</summary>
    public int Current => _keys.State.Keys.Length;
}
