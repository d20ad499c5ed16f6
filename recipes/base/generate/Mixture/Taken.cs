using System.Text.Json.Nodes;

namespace Apprentice.Recipes.Base.Mixture;

/// <summary>What was taken of a source.</summary>
public sealed class Taken
{
    private int _late;

    /// <summary>Characters in main.jsonl.</summary>
    public long Main { get; private set; }

    /// <summary>Characters in anneal.jsonl.</summary>
    public long Anneal { get; private set; }

    public int Documents { get; private set; }

    /// <summary>Documents left out because they overlap with held-out ones.</summary>
    public int Overlapping { get; set; }

    /// <summary>Documents left out because they were there already.</summary>
    public int Repeated { get; set; }

    public void Add(bool late, int characters)
    {
        Documents++;
        (_late, Anneal, Main) = late ? (_late + 1, Anneal + characters, Main) : (_late, Anneal, Main + characters);
    }

    public JsonObject ToJson(string name, string kind, string licence, int of) => new()
    {
        ["source"] = name, ["kind"] = kind, ["licence"] = licence, ["documents_there"] = of,
        ["main_documents"] = Documents - _late, ["main_characters"] = Main, ["anneal_documents"] = _late, ["anneal_characters"] = Anneal,
        ["left_out_as_overlapping_held_out"] = Overlapping, ["left_out_as_repeated"] = Repeated,
    };
}
