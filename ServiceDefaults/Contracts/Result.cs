using System.Diagnostics.CodeAnalysis;

namespace Lab.ServiceDefaults.Contracts;

/// <summary>What was asked for, or why it is refused: always one of the two. Either converts to it by itself.</summary>
/// <typeparam name="T">What was asked for.</typeparam>
public readonly struct Result<T>
    where T : notnull
{
    private readonly T? _value;
    private readonly Refusal? _refusal;

    private Result(T? value, Refusal? refusal)
    {
        _value = value;
        _refusal = refusal;
    }

    /// <summary>Takes it apart. Of the two, the compiler lets only that one be used which is there.</summary>
    /// <returns>Whether there is a value.</returns>
    public bool TryGet([NotNullWhen(true)] out T? value, [NotNullWhen(false)] out Refusal? refusal)
    {
        value = _value;
        refusal = _refusal;
        return refusal is null;
    }

    /// <summary>A value as a result.</summary>
    [SuppressMessage("Usage", "CA2225", Justification = "A method of another name would be a second way to the same.")]
    public static implicit operator Result<T>(T value) => new(value, null);

    /// <summary>A refusal as a result.</summary>
    [SuppressMessage("Usage", "CA2225", Justification = "A method of another name would be a second way to the same.")]
    public static implicit operator Result<T>(Refusal refusal) => new(default, refusal);
}
