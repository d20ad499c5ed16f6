namespace Apprentice.Data.ChatTemplates;

/// <summary>A conversation as the model reads it.</summary>
/// <param name="Text">The whole text.</param>
/// <param name="Assistant">
/// The parts that the model has to learn to write, in order and without overlap: what the template emits from an assistant
/// message's content up to the next turn. Empty when the text ends in a prompt that is still to be answered.
/// </param>
public sealed record RenderedChat(string Text, IReadOnlyList<AssistantSpan> Assistant);

/// <summary>A supervised stretch of text.</summary>
/// <param name="Start">Index of its first UTF-16 unit.</param>
/// <param name="End">Index after its last UTF-16 unit.</param>
/// <param name="Message">Zero-based index of the assistant message it came from.</param>
public readonly record struct AssistantSpan(int Start, int End, int Message);
