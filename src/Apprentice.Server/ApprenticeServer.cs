using System.Collections;
using System.Net.Sockets;
using Apprentice.Data;
using Apprentice.Server.Endpoints;
using Apprentice.Server.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Apprentice.Server;

/// <summary>
/// Models behind the OpenAI API (<c>/v1/chat/completions</c>, <c>/v1/completions</c>, <c>/v1/models</c>) and <c>/health</c>. Nothing is
/// read from settings files or the environment, but for OpenTelemetry's own variables.
/// </summary>
public sealed class ApprenticeServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ServedModels _models;

    private ApprenticeServer(WebApplication app, ServedModels models, bool requiresKey) => (_app, _models, RequiresKey) = (app, models, requiresKey);

    /// <summary>Where it listens, with the ports that were taken.</summary>
    public IReadOnlyList<Uri> Urls { get; private set; } = [];

    /// <summary>Whether every request needs a key.</summary>
    public bool RequiresKey { get; }

    /// <summary>Loads the models and begins to listen.</summary>
    /// <param name="options">What to serve, where, and within which limits.</param>
    /// <param name="logging">Where the log goes; null: nowhere.</param>
    /// <exception cref="InputException">
    /// A model cannot be loaded; <c>bad_url</c>, <c>address_in_use</c>; <c>no_api_keys</c>: other machines can reach it, and there is no key;
    /// <c>bad_keys</c>: the list of keys is damaged.
    /// </exception>
    public static async Task<ApprenticeServer> StartAsync(ServerOptions options, Action<ILoggingBuilder>? logging = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var keys = new ApiKeys(options.Home);
        options = options with { RequireKey = options.RequireKey || !options.Urls.All(ServerAddress.IsLoopback) };
        var anyKeys = keys.Any(); // also where none is asked for: one that is sent will be looked up
        if (options.RequireKey && !anyKeys)
        {
            throw new InputException("no_api_keys", "every request would need an API key, and there is none", hint: "make one first: apprentice keys add NAME; or listen on this machine only: --urls http://127.0.0.1:8080");
        }

        var models = new ServedModels(options.Models, options.Batch);
        try
        {
            var server = new ApprenticeServer(Create(options, keys, models, logging), models, options.RequireKey);
            await server.Listen(options, cancellation);
            return server;
        }
        catch
        {
            models.Dispose();
            throw;
        }
    }

    /// <summary>Takes no more requests, lets those under way end within the options' time, and ends.</summary>
    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _models.Dispose();
    }

    private static WebApplication Create(ServerOptions options, ApiKeys keys, ServedModels models, Action<ILoggingBuilder>? logging)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = options.MaxBodyBytes;
            kestrel.Limits.RequestHeadersTimeout = options.HeadTimeout;
            kestrel.Limits.MaxConcurrentConnections = 4L * options.MaxRequests;
        });
        logging?.Invoke(builder.Logging);
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        builder.Services.AddRoutingCore();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.ShutdownTimeout);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>(); // signals are the caller's
        builder.Services.AddSingleton(options).AddSingleton(keys).AddSingleton(models);
        builder.Services.AddSingleton<Telemetry>().AddSingleton<RequestTurns>();
        builder.Services.AddSingleton<ChatCompletionsEndpoint>().AddSingleton<CompletionsEndpoint>().AddSingleton<ModelsEndpoint>().AddSingleton<HealthEndpoint>();
        AddOpenTelemetry(builder);

        var app = builder.Build();
        app.UseMiddleware<ErrorAnswers>();
        app.UseMiddleware<AccessGate>();
        app.UseRouting();
        app.MapPost("/v1/chat/completions", (RequestDelegate)app.Services.GetRequiredService<ChatCompletionsEndpoint>().Answer);
        app.MapPost("/v1/completions", (RequestDelegate)app.Services.GetRequiredService<CompletionsEndpoint>().Answer);
        app.MapGet("/v1/models", (RequestDelegate)app.Services.GetRequiredService<ModelsEndpoint>().List);
        app.MapGet("/v1/models/{**id}", (RequestDelegate)app.Services.GetRequiredService<ModelsEndpoint>().Get);
        app.MapGet("/health", (RequestDelegate)app.Services.GetRequiredService<HealthEndpoint>().Get);
        app.Lifetime.ApplicationStopping.Register(app.Services.GetRequiredService<RequestTurns>().Stop);
        return app;
    }

    /// <summary>Sends metrics and traces where the standard variables say (OTEL_EXPORTER_OTLP_ENDPOINT and so on), else nowhere.</summary>
    private static void AddOpenTelemetry(WebApplicationBuilder builder)
    {
        var variables = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Where(v => ((string)v.Key).StartsWith("OTEL_", StringComparison.Ordinal))
            .ToDictionary(v => (string)v.Key, v => (string?)v.Value);
        if (!variables.Keys.Any(name => name.StartsWith("OTEL_EXPORTER_OTLP_", StringComparison.Ordinal)))
        {
            return;
        }

        builder.Configuration.AddInMemoryCollection(variables);
        builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("apprentice"))
            .WithMetrics(metrics => metrics.AddMeter(Telemetry.Name).AddAspNetCoreInstrumentation())
            .WithTracing(traces => traces.AddSource(Telemetry.Name).AddAspNetCoreInstrumentation())
            .UseOtlpExporter();
    }

    private async Task Listen(ServerOptions options, CancellationToken cancellation)
    {
        foreach (var url in options.Urls)
        {
            _app.Urls.Add(url);
        }

        try
        {
            await _app.StartAsync(cancellation);
        }
        catch (Exception e) when (e is IOException or SocketException or InvalidOperationException)
        {
            await _app.DisposeAsync();
            throw new InputException("address_in_use", $"cannot listen on {string.Join(" and ", options.Urls)}: {e.Message}", hint: "stop what listens there, or give another address: --urls http://127.0.0.1:8081");
        }

        Urls = [.. _app.Urls.Select(u => new Uri(u.Replace("//+", "//0.0.0.0", StringComparison.Ordinal).Replace("//*", "//0.0.0.0", StringComparison.Ordinal)))];
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
