namespace Lab.ServiceDefaults.Access;

/// <summary>Who holds the keys that are in force.</summary>
public interface IKeyHolders
{
    /// <summary>Whether anybody but this holder has a key.</summary>
    bool HasOther(string name);
}
