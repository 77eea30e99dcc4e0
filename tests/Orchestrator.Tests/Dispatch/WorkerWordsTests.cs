using Lab.Orchestrator.Dispatch;

namespace Lab.Orchestrator.Tests.Dispatch;

public sealed class WorkerWordsTests
{
    [Theory]
    [InlineData("it answered 500", "it answered 500")]
    [InlineData("naïve 文 😀 می‌خواهم", "naïve 文 😀 می‌خواهم")]
    [InlineData("\u001b[31mred\u0007\r\n", "?[31mred???")]
    [InlineData("a\u202eb\u2066c\u2028d\u0085", "a?b?c?d?")]
    public void Plain_WhateverIsSaid_CanBeShown(string said, string shown) => Assert.Equal(shown, WorkerWords.Plain(said));

    // No attribute can hold half a character.
    [Fact]
    public void Plain_HalvesOfCharacters_AreQuestionMarks() => Assert.Equal("? half, half ?", WorkerWords.Plain("\ud83d half, half \ude00"));

    [Fact]
    public void Plain_Megabyte_IsCutBetweenTwoCharacters()
    {
        Assert.Equal(WorkerWords.MaxLength, WorkerWords.Plain(new string('x', 1024 * 1024)).Length);
        Assert.Equal("x", WorkerWords.Plain("x😀y", maxLength: 2));
    }

    [Fact]
    public void Constructor_OfAllThatAWorkerSays_ShowsIt()
    {
        const string Said = "a\nb";
        Assert.Equal("a?b", new WorkerReply.Failed(Said).Reason);
        Assert.Equal("a?b", new TextReply(null, Said).Rejection);
        Assert.Equal("a?b", new ProbeResult(Said).Failure);
    }
}
