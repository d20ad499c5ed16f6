namespace Apprentice.Server.Contracts;

/// <summary>The schema ListModelsResponse.</summary>
internal sealed record ModelList(IReadOnlyList<ModelBody> Data)
{
    public string Object => "list";
}

/// <summary>The schema Model.</summary>
internal sealed record ModelBody(string Id, long Created)
{
    public string Object => "model";

    public string OwnedBy => "apprentice";
}
