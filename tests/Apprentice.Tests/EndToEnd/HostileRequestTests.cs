using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Apprentice.Tests.EndToEnd;

/// <summary>Two servers as processes, one that needs a key and one that does not, to which all hostile requests are sent at once.</summary>
public sealed class AttackedServers : IAsyncLifetime
{
    private readonly Workplace _place = new();
    private readonly List<CliProcess> _servers = [];
    private readonly Dictionary<string, RawResponse> _answers = [];

    /// <summary>All that both have logged, and the key that one of them needs.</summary>
    internal (string Log, string Key) Left { get; private set; }

    /// <summary>What a proper request got when all others had been answered.</summary>
    internal RawResponse Last { get; private set; } = new(0, "", "");

    internal RawResponse AnswerTo(string name) => _answers[name];

    public async Task InitializeAsync()
    {
        var key = (await _place.Done("keys add website")).GetProperty("secret").GetString()!;
        var closed = await Serve("serve base --urls http://127.0.0.1:0 --require-key --json");
        var open = await Serve("serve base --urls http://127.0.0.1:0 --json");
        await Task.WhenAll(HostileRequests.All.Select(async request =>
        {
            var answer = await RawHttp.Send(request.Open ? open : closed, request.Bytes(key), request.Trickle);
            lock (_answers)
            {
                _answers[request.Name] = answer;
            }
        }));

        const string Body = """{"model":"base","messages":[{"role":"user","content":"moonstone"}],"max_tokens":2}""";
        foreach (var (server, process) in new[] { (closed, _servers[0]), (open, _servers[1]) })
        {
            Last = await RawHttp.Send(server, Encoding.ASCII.GetBytes(
                $"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: {Body.Length}\r\n\r\n{Body}"));
            Assert.True(Last.Status == 200, Last.Body);
            await process.LineAsync(l => l.Contains("chat done", StringComparison.Ordinal)); // what came before is logged by then
        }

        Left = (string.Concat(_servers.Select(s => s.ErrorSoFar)), key);
    }

    public Task DisposeAsync()
    {
        _servers.ForEach(s => s.Dispose());
        _place.Dispose();
        return Task.CompletedTask;
    }

    private async Task<Uri> Serve(string command)
    {
        var server = _place.Start(command);
        _servers.Add(server);
        var line = await server.LineAsync(l => l.StartsWith("{\"urls\"", StringComparison.Ordinal));
        return new Uri(JsonDocument.Parse(line).RootElement.GetProperty("urls")[0].GetString()!);
    }
}

/// <summary>Whatever strangers send is refused with the right status, and leaves no trace in the log.</summary>
[Trait("Category", "Hostile")]
public sealed class HostileRequestTests(AttackedServers servers) : IClassFixture<AttackedServers>
{
    public static TheoryData<string> Names => [.. HostileRequests.All.Select(r => r.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void It_is_refused_with_its_status(string name)
    {
        var request = HostileRequests.All.Single(r => r.Name == name);
        var answer = servers.AnswerTo(name);
        Assert.True(request.Status == answer.Status, $"expected {request.Status}, got {answer.Status}\n{answer.Head}\n\n{answer.Body}");
        if (request.Code is null)
        {
            Assert.Equal("", answer.Body);
            return;
        }

        var error = JsonNode.Parse(answer.Body)!["error"]!;
        Assert.Equal(["message", "type", "param", "code"], error.AsObject().Select(f => f.Key));
        Assert.Equal(request.Code, (string?)error["code"] ?? "none");
        Assert.DoesNotContain((string)error["message"]!, char.IsControl);
        Assert.Contains("x-request-id: req_", answer.Head, StringComparison.Ordinal);
    }

    [Fact]
    public void A_proper_request_is_answered_after_all() => Assert.Contains("\"finish_reason\"", servers.Last.Body, StringComparison.Ordinal);

    [Fact]
    public void The_log_has_a_line_for_each_and_nothing_of_what_they_said()
    {
        var (log, key) = servers.Left;
        var lines = log.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(lines, l => Assert.StartsWith("{\"Timestamp\"", l, StringComparison.Ordinal));
        Assert.Equal(HostileRequests.All.Count(r => r.Code is not null), lines.Count(l => l.Contains("refused with", StringComparison.Ordinal)));
        Assert.DoesNotContain(HostileRequests.Secret, log, StringComparison.Ordinal);
        Assert.DoesNotContain("FORGED", log, StringComparison.Ordinal);
        Assert.DoesNotContain(key[14..], log, StringComparison.Ordinal);
        Assert.DoesNotContain("evil.example", log, StringComparison.Ordinal);
        Assert.DoesNotContain("passwd", log, StringComparison.Ordinal);
        Assert.DoesNotContain(log, c => char.IsControl(c) && c != '\n');
        Assert.DoesNotContain("\\u001B", log, StringComparison.Ordinal);
    }
}
