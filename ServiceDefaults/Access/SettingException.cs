namespace Lab.ServiceDefaults.Access;

/// <summary>A setting that cannot be used; the message names it and says what would do, for the person who set it.</summary>
public sealed class SettingException : Exception
{
    /// <summary>Creates the exception with its cause.</summary>
    public SettingException(string message, Exception cause)
        : base(message, cause)
    {
    }

    /// <summary>Creates the exception with a message.</summary>
    public SettingException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception without a message.</summary>
    public SettingException()
    {
    }
}
