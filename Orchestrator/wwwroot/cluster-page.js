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

// Where a proxy lets no connection through, the page would stand still without a word.
const loadedAt = Date.now();
const connecting = setInterval(() => {
  const isLive = document.querySelector('.sign-in, [data-live]') !== null;
  if (isLive) clearInterval(connecting);
  lost.classList.toggle('unconnected', !isLive && Date.now() - loadedAt > 10_000);
}, 1000);

Blazor.start({ circuit: { reconnectionOptions: { maxRetries: 600, retryIntervalMilliseconds: 1000 } } });
