using Apprentice.Server.Contracts;
using Microsoft.AspNetCore.Http;

namespace Apprentice.Server.Endpoints;

/// <summary><c>GET /v1/models</c> and <c>GET /v1/models/{id}</c>: what is served.</summary>
internal sealed class ModelsEndpoint(ServedModels models)
{
    public Task List(HttpContext http) => ApiJson.Write(http.Response, new ModelList([.. models.All.Select(Body)]), http.RequestAborted);

    /// <exception cref="ApiException">404.</exception>
    public Task Get(HttpContext http)
    {
        // A slash in a name may come as %2F, which is left as it is in a path.
        var id = ((string)http.Request.RouteValues["id"]!).Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
        return ApiJson.Write(http.Response, Body(models.Find(id)), http.RequestAborted);
    }

    private static ModelBody Body(ServedModel model) => new(model.Name, model.Created);
}
