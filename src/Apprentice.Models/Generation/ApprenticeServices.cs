using Apprentice.Models.Generation;
using Microsoft.Extensions.AI;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Models for dependency injection.</summary>
public static class ApprenticeServices
{
    /// <summary>
    /// Adds a model as the <see cref="IChatClient"/>, one for all: loaded when it is first asked for, freed with the container.
    /// </summary>
    /// <param name="model">A model reference: a .gguf file, a Hugging Face, run or adapter folder, a registered name, or <c>base</c>.</param>
    /// <param name="options">How much it takes on at once, and the threads.</param>
    public static IServiceCollection AddApprentice(this IServiceCollection services, string model, BatchOptions? options = null) =>
        services.AddSingleton<IChatClient>(_ => ModelChatClient.Open(model, options: options));

    /// <summary>As <see cref="AddApprentice"/>, under a key, so that there can be several.</summary>
    public static IServiceCollection AddKeyedApprentice(this IServiceCollection services, object? key, string model, BatchOptions? options = null) =>
        services.AddKeyedSingleton<IChatClient>(key, (_, _) => ModelChatClient.Open(model, options: options));
}
