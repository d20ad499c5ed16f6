using Apprentice.Recipes.Base;
using Apprentice.Recipes.Base.Mixture;
using Apprentice.Tests.Golden;

namespace Apprentice.Tests.Recipes;

/// <summary>How sources become training text.</summary>
public sealed class MixtureTests
{
    private const string Passage = "The ferry to the island leaves from the old pier at seven and comes back when the tide allows it in the evening.";

    [Fact]
    public void A_passage_that_is_held_out_is_known_under_another_question()
    {
        var held = new HeldOutText();
        held.Add(Of(Passage, "When does the ferry leave?"));
        Assert.True(held.Overlaps(Of("Answer from the text. " + Passage.ToUpperInvariant() + " Where does it go?", "The island")));
        Assert.False(held.Overlaps(Of("The ferry to the island leaves from the old pier at noon.", "Noon")));
    }

    /// <summary>Runs of words that many documents have are the wording of a template.</summary>
    [Fact]
    public void The_wording_of_a_template_is_no_overlap()
    {
        var held = new HeldOutText();
        held.Add(Of(Passage, "1"));
        for (var i = 0; i < 40; i++)
        {
            held.Count(Of(Passage, $"{i}"));
        }

        Assert.False(held.Overlaps(Of(Passage, "2")));
    }

    [Fact]
    public void Listed_labels_become_snake_case_with_the_answer()
    {
        Assert.Equal(
            ["Pick one: play_music, alarm_set.\n\nText: wake me, at six", "alarm_set"],
            Labels.Snake(["Pick one: play music, alarm set.\n\nText: wake me, at six", "alarm set"]));
        string[] other = ["Name: one, two", "three"];
        Assert.Same(other, Labels.Snake(other));
    }

    [Fact]
    public void Every_source_says_its_licence_and_why()
    {
        Assert.All(Source.Table, source => Assert.True(source.Licence.Length > 2 && source.Why.Length > 5, source.Name));
        Assert.All(Source.Table.Where(s => s.Main > 0), source => Assert.NotEmpty(source.Kind));
    }

    /// <summary>Documents that are read keep their place whatever the file's order, and become the lines that training reads.</summary>
    [SkippableFact]
    public void Sources_can_be_read()
    {
        var source = Source.Table.Single(s => s.Name == "taskmaster4");
        var documents = Document.Read(GoldenData.RequireShared("data/pretrain"), source.Name);
        Assert.True(documents.Count > 3000);
        Assert.Equal(documents.Select(d => d.Id).Order(), documents.Select(d => d.Id));
        var json = documents[0].ToJson(new Draw(1, "test", 0), source);
        Assert.Equal("assistant", (string?)json["messages"]!.AsArray()[^1]!["role"]);
    }

    /// <summary>No sentence of a source is in the repository: no document shares runs of words with the files of this recipe.</summary>
    [SkippableFact]
    public void Nothing_is_copied_from_a_source()
    {
        var folder = GoldenData.RequireShared("data/pretrain");
        var ours = new HeldOutText();
        foreach (var file in Directory.GetFiles(Path.Combine(GoldenData.Root, "recipes", "base"), "*", SearchOption.AllDirectories).Where(f => f.EndsWith(".txt", StringComparison.Ordinal)))
        {
            foreach (var line in File.ReadLines(file))
            {
                ours.Add(new Document(0, [line]));
            }
        }

        foreach (var name in new[] { "multidogo_customer_turns", "taskmaster4", "self_instruct_seed", "superni_subset", "intents_nlu_eval" })
        {
            Assert.DoesNotContain(Document.Read(folder, name), ours.Overlaps);
        }
    }

    private static Document Of(params string[] parts) => new(Draw.Hash(string.Join('\n', parts)), parts);
}
