// Runs in the page before its own scripts. Notes every live message with the stamp of its commit,
// and how old that is when the browser has painted what came of it. One machine, one clock.
(() => {
  const KEPT = 256;
  const now = () => performance.timeOrigin + performance.now();
  /** Stream to what was heard and not seen: the value of the rate, and when it was committed. */
  const heard = new Map();
  const found = (window.telemetraDelays = { rows: [], waited: [], charts: [] });

  class HeardSocket extends WebSocket {
    constructor(...given) {
      super(...given);
      this.addEventListener('message', ({ data }) => {
        const message = JSON.parse(data);
        if (message.type !== 'metrics') return;
        const waiting = heard.get(message.stream_id) ?? [];
        heard.set(message.stream_id, waiting);
        const at = Date.parse(message.timestamp);
        // The snapshot that a subscription begins with was committed before.
        if (now() - at > 60_000) return;
        waiting.push({ value: message.data.chat_rate, at, drawn: false });
        if (waiting.length > KEPT) waiting.shift();
      });
    }
  }
  window.WebSocket = HeardSocket;

  /** The frame after the one that shows it: by then it is on screen. */
  const painted = (note) => requestAnimationFrame(() => note(now()));

  new MutationObserver((changes) => {
    for (const { target } of changes) {
      const row = target.closest?.('[data-testid="stream-row"]');
      const waiting = heard.get(row?.dataset.streamId) ?? [];
      const value = Number(target.dataset.value);
      const k = waiting.findLastIndex((one) => one.value === value);
      if (k < 0) continue;
      const shown = waiting.splice(0, k + 1);
      painted((at) => {
        found.rows.push(at - shown.at(-1).at);
        found.waited.push(at - shown[0].at);
      });
    }
  }).observe(document, { subtree: true, attributes: true, attributeFilter: ['data-value'] });

  const { stroke } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.stroke = function (...path) {
    if (this.canvas.closest('[data-testid="chart-chat"]')) {
      const drawn = [...heard.values()].flat().filter((one) => !one.drawn);
      for (const one of drawn) one.drawn = true;
      // The oldest of them is the one that waited.
      if (drawn.length) painted((at) => found.charts.push(at - drawn[0].at));
    }
    return stroke.apply(this, path);
  };
})();
