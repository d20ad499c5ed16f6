using Apprentice.Data.Datasets;

namespace Apprentice.Data.Tokenizers.Training;

/// <summary>How far a training is.</summary>
/// <param name="Read">Share of the files that is read, 0 to 1.</param>
/// <param name="Learned">Share of the tokens that is learned, 0 to 1.</param>
public readonly record struct TokenizerTrainingProgress(double Read, double Learned);

/// <summary>A tokenizer that was trained, and how well it does on the text it learned from.</summary>
/// <param name="Vocabulary">Tokens and merges, as a GGUF file has them.</param>
/// <param name="Bytes">UTF-8 bytes of that text, special tokens aside.</param>
/// <param name="Tokens">Tokens that they become.</param>
/// <param name="Words">Different words in it.</param>
public sealed record TrainedTokenizer(GgufVocabulary Vocabulary, long Bytes, long Tokens, long Words);

/// <summary>
/// Trains a byte-level BPE tokenizer: text is cut into words, equal words are counted, and neighbours that stand together
/// most often become a token, again and again. The same for any number of threads.
/// </summary>
/// <remarks>
/// Memory: the largest file with its examples (a .txt file in blocks), and the table of different words, which is kept
/// below <see cref="WordCounter.MaxWords"/> by dropping the rarest: about 1 GB at worst. 156 MB of English took 0.4 to 0.5 GB in all.
/// </remarks>
public static class TokenizerTrainer
{
    /// <summary>
    /// How text is cut into words, by llama.cpp's name, so that a GGUF file can say it: <see cref="SplitPatterns.Qwen2"/>
    /// without normalization. Contractions; letters with the space or mark before them; each digit on its own, from which a
    /// small model can learn arithmetic by place, where it would have to know chunks of digits by heart; runs of
    /// punctuation with the line breaks after them; line breaks; white space. On 53 MB of English prose, dialogues and JSON
    /// a vocabulary of 4096 gives 3.36 bytes a token; GPT-2's pattern with single digits ("smollm") gives 3.29.
    /// </summary>
    internal const string Family = "stablelm2";

    /// <param name="files">JSON lines in any format of <see cref="DatasetFormat"/>, or plain text (.txt).</param>
    /// <exception cref="InputException">An option or a file is not as it should be.</exception>
    public static TrainedTokenizer Train(
        IReadOnlyList<string> files, TokenizerTrainingOptions options, IProgress<TokenizerTrainingProgress>? progress = null, CancellationToken cancel = default)
    {
        options.Validate();
        var vocabulary = new GgufVocabulary { Model = "gpt2", Pre = Family, Tokens = [] };
        var specials = options.SpecialTokens.Select((text, id) => (text, new AddedToken(id, text, Special: true)));
        var counter = new WordCounter(GgufTokenizer.Splits(GgufTokenizer.FamilyOf(vocabulary, null)), new AddedTokenFinder(specials), options.Threads ?? Environment.ProcessorCount);
        var texts = new TrainingTexts(files, options, read => progress?.Report(new TokenizerTrainingProgress(read, 0)));
        counter.Count(texts.Read(), TrainingTexts.BytesOf, texts.TextsOf, cancel);
        if (counter.Words.Count == 0)
        {
            throw new InputException("no_examples", "there is no text to learn from", files[0]);
        }

        var trainer = new BytePairTrainer(counter.Words, options.SpecialTokens);
        trainer.Learn(options.VocabularySize, options.MinimumFrequency, learned => progress?.Report(new TokenizerTrainingProgress(1, learned)), cancel);
        return new TrainedTokenizer(
            vocabulary with
            {
                Tokens = [.. trainer.Tokens],
                Merges = [.. trainer.Merges],
                TokenTypes = [.. trainer.Tokens.Select((_, id) => id < options.SpecialTokens.Count ? GgufVocabulary.Control : GgufVocabulary.Normal)],
                Bos = IdOf(options.BosToken),
                Eos = IdOf(options.EosToken),
                Padding = IdOf(options.PaddingToken),
            },
            trainer.ByteCount,
            trainer.TokenCount,
            counter.Words.Count);

        int? IdOf(string? token) => token is null ? null : trainer.Tokens.IndexOf(token);
    }
}
