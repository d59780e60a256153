using Apm.Web.Api;
using Microsoft.AspNetCore.Components;

namespace Apm.Web.Pages;

/// <summary>Base of the pages: loads once for its URL. While it loads the page shows skeletons; a failure is kept for <see cref="Controls.ErrorState"/>.</summary>
public abstract class ApmPage : ComponentBase
{
    [Inject] internal PageContext Page { get; set; } = null!;

    [Inject] internal QueryClient Api { get; set; } = null!;

    /// <summary>True until <see cref="LoadAsync"/> is done.</summary>
    protected bool Loading { get; private set; } = true;

    internal QueryException? Failure { get; private set; }

    internal Texts T => Page.T;

    /// <summary>Asks the API for what the page shows. Cancelled when the reader leaves.</summary>
    protected abstract Task LoadAsync(CancellationToken cancellationToken);

    protected override async Task OnInitializedAsync()
    {
        try
        {
            await LoadAsync(Page.Http.RequestAborted);
        }
        catch (QueryException e)
        {
            Failure = e;
        }
        Loading = false;
    }
}
