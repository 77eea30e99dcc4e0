// Reconnects for as long as it takes. A restarted orchestrator does not know this page any more: then it is loaded anew.
const lost = document.getElementById('components-reconnect-modal');
lost.addEventListener('components-reconnect-state-changed', event => {
  if (['failed', 'rejected', 'resume-failed'].includes(event.detail.state)) reloadWhenBack();
});

let reloading = false;
async function reloadWhenBack() {
  if (reloading) return;
  reloading = true;
  for (;;) {
    try {
      const answer = await fetch('alive', { cache: 'no-store' });
      if (answer.ok) break;
    } catch { /* not there yet */ }
    await new Promise(resolve => setTimeout(resolve, 1000));
  }
  location.reload();
}

Blazor.start({ circuit: { reconnectionOptions: { maxRetries: 600, retryIntervalMilliseconds: 1000 } } });
