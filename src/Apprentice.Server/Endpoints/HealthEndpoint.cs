using Apprentice.Server.Contracts;
using Microsoft.AspNetCore.Http;

namespace Apprentice.Server.Endpoints;

/// <summary>How busy the server is. It names no model, for it is told without a key.</summary>
internal sealed record Health(string Status, int Requests, int Active, int Waiting, int CachedTokens, int CacheTokens);

/// <summary><c>GET /health</c>: whether the server takes requests: 200, or 503 while it stops.</summary>
internal sealed class HealthEndpoint(ServedModels models, RequestTurns turns)
{
    public Task Get(HttpContext http)
    {
        var statistics = models.All.Select(m => m.Generator.Statistics).ToList();
        http.Response.StatusCode = turns.IsStopping ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK;
        return ApiJson.Write(
            http.Response,
            new Health(
                turns.IsStopping ? "stopping" : "ok", turns.Taken, statistics.Sum(s => s.Active), statistics.Sum(s => s.Waiting), statistics.Sum(s => s.CachedTokens), statistics.Sum(s => s.CacheTokens)),
            http.RequestAborted);
    }
}
