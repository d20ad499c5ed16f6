using System.Net;
using System.Net.Http.Headers;
using Apprentice.Data;

namespace Apprentice.Models.Hub;

/// <summary>An answer with its body still to come.</summary>
/// <param name="Response">Status 200, 206 or 416.</param>
/// <param name="Sha256">What the hub says of the file's hash, in lower-case hex, or null.</param>
internal sealed record HubAnswer(HttpResponseMessage Response, string? Sha256) : IDisposable
{
    public void Dispose() => Response.Dispose();
}

/// <summary>
/// Asks servers for files. It follows a few redirects, never from https to http, and sends the token only while it speaks with the
/// hub itself. Proxies are those of the environment.
/// </summary>
internal sealed class HubConnection : IDisposable
{
    private const int MostRedirects = 8;
    private readonly DownloadOptions _options;
    private readonly HttpClient _client;

    public HubConnection(DownloadOptions options)
    {
        _options = options;
        _client = new HttpClient(options.Network ?? new SocketsHttpHandler
        {
            AllowAutoRedirect = false, // it would take the token along
            UseCookies = false,
            ConnectTimeout = options.Stall,
            MaxResponseHeadersLength = 64,
        }, disposeHandler: options.Network is null) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>The answer's head; its body is read with <see cref="ReadAsync"/>.</summary>
    /// <param name="address">Allowed by <see cref="WebAddress"/>.</param>
    /// <param name="prepare">Adds headers to each request.</param>
    /// <param name="cancel">Ends it at once.</param>
    /// <exception cref="InputException">The server refuses.</exception>
    /// <exception cref="TransientException">The server cannot just now, or says nothing.</exception>
    /// <exception cref="HttpRequestException">The network fails.</exception>
    public async Task<HubAnswer> GetAsync(Uri address, Action<HttpRequestHeaders>? prepare, CancellationToken cancel)
    {
        var (at, onlyHub) = (address, true);
        string? sha256 = null;
        for (var redirects = 0; redirects <= MostRedirects; redirects++)
        {
            onlyHub &= WebAddress.IsSameServer(at, _options.Hub);
            var response = await SendAsync(at, onlyHub, prepare, cancel).ConfigureAwait(false);
            sha256 ??= onlyHub ? LinkedHash(response) : null;
            if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308))
            {
                return response.StatusCode is HttpStatusCode.OK or HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable
                    ? new HubAnswer(response, sha256)
                    : throw Refusal(response, at);
            }

            using (response)
            {
                at = WebAddress.Follow(at, response.Headers.Location);
            }
        }

        throw WebAddress.BadRedirect(address, $"leads on and on, more than {MostRedirects} times");
    }

    /// <summary>Reads some of the body, 0 bytes at its end.</summary>
    /// <exception cref="IOException">The connection was cut.</exception>
    /// <exception cref="TransientException">Nothing came for too long.</exception>
    public Task<int> ReadAsync(Stream body, Memory<byte> buffer, CancellationToken cancel) =>
        BeforeStallAsync(token => body.ReadAsync(buffer, token).AsTask(), cancel);

    /// <summary>The whole body of a small answer.</summary>
    /// <exception cref="InputException">Code <c>bad_hub_answer</c>: it is longer.</exception>
    public async Task<byte[]> ReadAllAsync(HubAnswer answer, int most, string shown, CancellationToken cancel)
    {
        var body = await answer.Response.Content.ReadAsStreamAsync(cancel).ConfigureAwait(false);
        using var all = new MemoryStream();
        var buffer = new byte[1 << 16];
        for (int read; (read = await ReadAsync(body, buffer, cancel).ConfigureAwait(false)) > 0;)
        {
            all.Write(buffer, 0, read);
            if (all.Length > most)
            {
                throw new InputException("bad_hub_answer", $"the hub's answer has more than {most:N0} bytes", shown, hint: "check HF_ENDPOINT");
            }
        }

        return all.ToArray();
    }

    public void Dispose() => _client.Dispose();

    private async Task<HttpResponseMessage> SendAsync(Uri address, bool isHub, Action<HttpRequestHeaders>? prepare, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("apprentice", null));
        request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("identity")); // the hash is of the file, not of what a server packs
        if (isHub && _options.Token is { } token)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        prepare?.Invoke(request.Headers);
        return await BeforeStallAsync(cancel => _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel), cancel).ConfigureAwait(false);
    }

    private async Task<T> BeforeStallAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancel)
    {
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        stall.CancelAfter(_options.Stall);
        try
        {
            return await work(stall.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new TransientException($"nothing came for {_options.Stall.TotalSeconds:0.#} s");
        }
    }

    /// <summary>Of a file that is kept elsewhere the hub itself says the hash before it redirects.</summary>
    private static string? LinkedHash(HttpResponseMessage response) =>
        response.Headers.TryGetValues("X-Linked-Etag", out var values) ? Sha256.Parse(values.First().Trim('"')) : null;

    private Exception Refusal(HttpResponseMessage response, Uri address)
    {
        using (response)
        {
            var (status, shown) = ((int)response.StatusCode, WebAddress.Shown(address));
            return status switch
            {
                408 or 425 or 429 or >= 500 => new TransientException($"{address.Host} answered with status {status}", RetryAfter(response)),
                401 or 403 => new InputException("download_refused", $"{address.Host} does not let this be read (status {status}), or it is not there", shown, hint: _options.Token is null
                    ? "check the name; a private model, or one whose terms must be accepted, needs a token in HF_TOKEN"
                    : "check the name, whether the token in HF_TOKEN may read it, and whether its terms are accepted on its page"),
                404 or 410 => new InputException("address_not_found", $"there is nothing at this address (status {status})", shown, hint: "check owner, name and file"),
                _ => new InputException("download_refused", $"{address.Host} answered with status {status}", shown, hint: "open the address in a browser, which may say why"),
            };
        }
    }

    private static TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date - DateTimeOffset.UtcNow,
        _ => null,
    };
}
