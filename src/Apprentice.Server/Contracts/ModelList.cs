using System.Text.Json.Serialization;

namespace Apprentice.Server.Contracts;

/// <summary>The schema ListModelsResponse.</summary>
internal sealed record ModelList(IReadOnlyList<ModelBody> Data)
{
    [JsonPropertyOrder(-1)]
    public string Object => "list";
}

/// <summary>The schema Model.</summary>
internal sealed record ModelBody(string Id, long Created)
{
    [JsonPropertyOrder(-1)]
    public string Object => "model";

    public string OwnedBy => "apprentice";
}
