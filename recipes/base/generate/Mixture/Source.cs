namespace Apprentice.Recipes.Base.Mixture;

/// <summary>How much of a source is taken, and why.</summary>
/// <param name="Name">The file, without <c>.jsonl.xz</c>.</param>
/// <param name="Kind">The slice of held-out text it belongs to.</param>
/// <param name="Main">Characters for the warm-up and the stable phase, at most.</param>
/// <param name="Anneal">Characters for the last phase, at most.</param>
/// <param name="Licence">As the source states it.</param>
/// <param name="Why">The reason for the amount.</param>
public sealed record Source(string Name, string Kind, int Main, int Anneal, string Licence, string Why)
{
    private const int All = int.MaxValue, K = 1000, M = 1000 * K;

    /// <summary>
    /// The mixture. Books are held to an eighth (their English is old), dialogue, tasks and instruction data come to two thirds;
    /// what is most like the later use is kept for the last phase.
    /// </summary>
    public static IReadOnlyList<Source> Table { get; } =
    [
        new("books_classic", "books", 7 * M, 400 * K, "public domain", "long, well-formed sentences; more would teach the English of 1900"),
        new("stories_cc_by", "books", 1 * M, All, "CC-BY-4.0", "plain words, told simply: all of it"),
        new("openstax_ccby", "textbook", 3 * M, 200 * K, "CC-BY-4.0", "modern expository English"),
        new("us_gov_plain_language", "textbook", 1 * M, 300 * K, "public domain / CC0-1.0", "plain official English"),
        new("recipes_public_domain", "textbook", All, 0, "Unlicense (public domain)", "lists and instructions"),
        new("boolq_mnli_copa_dbpedia", "encyclopaedic", 5 * M, 200 * K, "CC-BY-SA-3.0; OANC/CC-BY-3.0; BSD-2-Clause", "short encyclopaedic passages with questions and classes"),
        new("factbook_public_domain", "encyclopaedic", 800 * K, 0, "public domain", "facts as questions and JSON; so small a model keeps few facts"),
        new("open_trivia_qa", "encyclopaedic", 1 * M, 0, "CC-BY-SA-4.0", "choosing from options; the facts themselves are beyond it"),
        new("wordnet_words", "encyclopaedic", 1500 * K, 0, "WordNet 3.0 licence", "what words mean"),
        new("t0_p3_clean", "tasks", 5 * M, 300 * K, "Apache-2.0 over the sets' own (CC-BY, CC-BY-SA, MIT)", "many wordings of tasks over passages"),
        new("superni_subset", "tasks", 500 * K, 100 * K, "Apache-2.0", "instructions in words"),
        new("self_instruct_seed", "tasks", 0, All, "Apache-2.0", "the most varied instructions there are: all of it, late"),
        new("instruction_induction", "tasks", 400 * K, All, "Apache-2.0", "short instructions with short answers"),
        new("gsm8k_train_short", "tasks", 800 * K, 0, "MIT", "sums in words; a trace"),
        new("intents_nlu_eval", "classification", 700 * K, All, "CC-BY-4.0", "real short commands to intents and entities: all of it, most of it late"),
        new("slots_snips", "classification", 1 * M, 700 * K, "CC0-1.0", "intents and slots"),
        new("multidogo_customer_turns", "JSON extraction", 700 * K, 600 * K, "CDLA-Permissive-1.0", "what customers really type"),
        new("spans_restaurant8k", "JSON extraction", 700 * K, 600 * K, "CC-BY-4.0; CC-BY-SA-4.0", "fields with null"),
        new("sgd_tasks", "JSON extraction", 4 * M, 1200 * K, "CC-BY-SA-4.0", "intent choice, JSON and next replies"),
        new("text_editing_derived", "rewriting", 3500 * K, 800 * K, "CC-BY-SA-4.0; CDLA-Sharing-1.0", "spelling, word order, small edits"),
        new("sgd_dialogues", "dialogue", 5500 * K, 600 * K, "CC-BY-SA-4.0", "polite task dialogues: the tone of a service desk"),
        new("taskmaster3", "dialogue", All, 0, "CC-BY-4.0", "the same, in another voice"),
        new("taskmaster4", "dialogue", 400 * K, All, "CC-BY-4.0", "very short replies"),
        new("topical_chat", "dialogue", 2500 * K, 0, "CDLA-Sharing-1.0", "everyday talk"),
        new("tldr_pages", "code and commands", 700 * K, 0, "CC-BY-4.0", "a trace, so that code is not noise to the tokenizer and the model"),
        new("exercism_mit", "code and commands", 300 * K, 0, "MIT", "the same"),
        new("algorithms_python_mit", "code and commands", 300 * K, 0, "MIT", "the same"),

        // Left out: its grant of CC-BY cannot be revoked, but the publisher has changed the licence since. We want no question at all.
        new("openstax_ccby_earlier_revision", "", 0, 0, "CC-BY-4.0 at these commits", "left out: the licence was changed later"),
    ];
}
