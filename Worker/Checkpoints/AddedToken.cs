namespace Lab.Worker.Checkpoints;

/// <summary>
/// A token that is found in the text as it stands, before it is split into words (<c>AddedToken</c> of Hugging Face's
/// tokenizers).
/// </summary>
/// <param name="Id">The token's id.</param>
/// <param name="Content">What is looked for; not empty.</param>
/// <param name="Normalized">Whether it is looked for in the normalised text, and normalised itself.</param>
/// <param name="SingleWord">Whether it counts only where no letter, digit or underscore stands beside it.</param>
/// <param name="LeftStrip">Whether it swallows the white space before it.</param>
/// <param name="RightStrip">Whether it swallows the white space behind it.</param>
/// <param name="Special">Whether Hugging Face leaves it out when it turns tokens into text.</param>
internal sealed record AddedToken(
    int Id, string Content, bool Normalized, bool SingleWord = false, bool LeftStrip = false, bool RightStrip = false, bool Special = false)
{
    /// <summary>Reads a token.</summary>
    /// <exception cref="ModelDirectoryException">It is not one, or has members that are not known.</exception>
    public static AddedToken Read(int id, JsonMembers members)
    {
        var special = members.Flag("special") ?? false;
        var token = new AddedToken(
            id,
            members.Text("content") is { Length: > 0 } content ? content : throw members.Wrong($"{members.Name("content")} is missing or empty"),
            members.Flag("normalized") ?? !special,
            members.Flag("single_word") ?? false,
            members.Flag("lstrip") ?? false,
            members.Flag("rstrip") ?? false,
            special);
        members.PassOver("__type", "id");
        members.RefuseOthers();
        return token;
    }
}
