/* Short notices at the foot of the page: what was done, with a way back where there is one, and what
   was not done. Three at most; each goes after a while, unless somebody is at it. */

const PLAIN_MS = 6000;
/** What can be taken back can be for this long. */
const UNDO_MS = 10_000;
const SHOWN_MAX = 3;
const TICK_MS = 250;

export interface Notice {
  words: string;
  isFault?: boolean;
  link?: { href: string; label: string };
  /** Takes back what was done; the notice goes with it. */
  undo?: () => unknown;
}

export interface Toast extends Notice {
  id: number;
  left: number;
}

class Toasts {
  list = $state.raw<readonly Toast[]>([]);
  /** Time stands still while somebody points at one, or is in one with the keyboard. */
  held = false;

  #count = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Show a notice; return what it is closed by. */
  show(notice: Notice): number {
    const [id, left] = [++this.#count, notice.undo ? UNDO_MS : PLAIN_MS];
    this.list = [...this.list, { ...notice, left, id }].slice(-SHOWN_MAX);
    this.#timer ??= setInterval(() => this.#pass(), TICK_MS);
    return id;
  }

  close(id: number): void {
    this.list = this.list.filter((toast) => toast.id !== id);
    if (!this.list.length) this.held = false;
  }

  /** Take back what was done last; false when there is nothing to take back. */
  undo(): boolean {
    const toast = this.list.findLast((one) => one.undo);
    if (toast) this.#take(toast);
    return toast !== undefined;
  }

  undoOne(id: number): void {
    const toast = this.list.find((one) => one.id === id);
    if (toast) this.#take(toast);
  }

  #take(toast: Toast): void {
    this.close(toast.id);
    toast.undo?.();
  }

  #pass(): void {
    if (!this.held) {
      for (const toast of this.list) toast.left -= TICK_MS;
      if (this.list.some((toast) => toast.left <= 0))
        this.list = this.list.filter((toast) => toast.left > 0);
    }
    if (this.list.length) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

export const toasts = new Toasts();
