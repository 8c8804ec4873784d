/* Asking again and again while somebody looks: not in a hidden tab, and at once when it is shown. */

/** Returns what ends it. `ask` settles whatever happens; the next one waits for it. */
export function poll(ask: () => Promise<void>, everyMs: number): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let over = false;
  let asking = false;

  async function round(): Promise<void> {
    clearTimeout(timer);
    if (over || asking) return;
    if (!document.hidden) {
      asking = true;
      await ask().catch(() => undefined);
      asking = false;
    }
    if (!over) timer = setTimeout(() => void round(), everyMs);
  }
  const show = (): void => {
    if (!document.hidden) void round();
  };

  document.addEventListener('visibilitychange', show);
  void round();
  return () => {
    over = true;
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', show);
  };
}
