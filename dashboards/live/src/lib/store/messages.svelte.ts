/* The last messages of one chat, as the server samples them: the newest first, at most fifty, shown
   at most twice a second. Held, the list stands still and what comes is counted. */
import { paced } from '../loop';
import { SAID_MAX, type Batch } from '../queue';
import type { ChatMessage } from '../types';
import type { Listener } from './link.svelte';

const TEXT_EVERY_MS = 500;

export interface Said extends ChatMessage {
  /** Counts up, so that a list knows which are new. */
  number: number;
}

export class LastMessages implements Listener {
  readonly topics: readonly string[];
  readonly types = ['chat'];
  shown = $state.raw<Said[]>([]);
  held = $state(false);
  /** How many came since the list is held. */
  waiting = $state(0);

  #kept: Said[] = [];
  #count = 0;
  #countShown = 0;
  #publish = paced(() => this.#show(), TEXT_EVERY_MS);

  constructor(readonly streamId: string) {
    this.topics = [streamId];
  }

  take(batch: Batch): void {
    const said = batch.said.get(this.streamId);
    if (!said?.length) return;
    const numbered = said.map((one) => ({ ...one, number: ++this.#count })).reverse();
    this.#kept = [...numbered, ...this.#kept].slice(0, SAID_MAX);
    this.#publish();
  }

  /** What was said while nobody listened is not told again. */
  catchUp(): Promise<void> {
    return Promise.resolve();
  }

  toggle(): void {
    this.held = !this.held;
    if (!this.held) this.#show();
  }

  stop(): void {
    this.#publish.cancel();
  }

  #show(): void {
    if (this.held) {
      this.waiting = this.#count - this.#countShown;
      return;
    }
    this.shown = this.#kept;
    this.#countShown = this.#count;
    this.waiting = 0;
  }
}
