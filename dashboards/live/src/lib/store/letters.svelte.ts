/* Dead letters as the system page shows them: how many, the newest of them, and one that is open.
   Replaying changes the list at once, and the next look brings what came of it. */
import {
  systemApi,
  type Letter,
  type LetterCounts,
  type LetterDetail,
} from '../api-system';
import { isAbort, toProblem, type Problem } from '../problem';

/** Twenty are replayed at a time; a list that never ends must not keep the page busy. */
const ROUNDS_MAX = 50;
const EVERY_MS = 10_000;

export class LetterList {
  counts = $state.raw<LetterCounts | null>(null);
  list = $state.raw<readonly Letter[] | null>(null);
  more = $state.raw<string | null>(null);
  open = $state.raw<LetterDetail | null>(null);
  problem = $state.raw<Problem | null>(null);
  /** The letter that is being replayed, or `all`. */
  busy = $state<string | null>(null);
  /** How many the last replay of all put on the bus. */
  replayed = $state<number | null>(null);

  #waiting = true;
  /** Older pages were asked for: the list is no longer replaced under the reader. */
  #isLong = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  get total(): number {
    return this.counts?.reasons.reduce((sum, { letters }) => sum + letters, 0) ?? 0;
  }

  get waiting(): number {
    return this.counts?.reasons.reduce((sum, { waiting }) => sum + waiting, 0) ?? 0;
  }

  start(): () => void {
    const stop = new AbortController();
    const poll = async (): Promise<void> => {
      if (!document.hidden) await this.load(stop.signal);
      if (stop.signal.aborted || this.problem?.status === 403) return;
      this.#timer = setTimeout(() => void poll(), EVERY_MS);
    };
    void poll();
    return () => {
      stop.abort();
      clearTimeout(this.#timer);
    };
  }

  /** Show only what waits, or everything. */
  choose(waiting: boolean): void {
    if (this.#waiting === waiting && this.list) return;
    this.#waiting = waiting;
    this.#isLong = false;
    void this.load();
  }

  async load(signal?: AbortSignal): Promise<void> {
    const wanted = this.#waiting;
    await this.#try(async () => {
      const [counts, page] = await Promise.all([
        systemApi.countLetters(signal),
        this.#isLong ? null : systemApi.listLetters(wanted || undefined, undefined, signal),
      ]);
      this.counts = counts;
      if (page && wanted === this.#waiting) [this.list, this.more] = [page.data, page.next_cursor];
    });
  }

  async loadMore(): Promise<void> {
    const cursor = this.more;
    if (!cursor) return;
    await this.#try(async () => {
      const page = await systemApi.listLetters(this.#waiting || undefined, cursor);
      this.list = [...(this.list ?? []), ...page.data];
      this.more = page.next_cursor;
      this.#isLong = true;
    });
  }

  async show(letterId: string | null): Promise<void> {
    if (letterId === null) this.open = null;
    else if (this.open?.letter_id !== letterId)
      await this.#try(async () => void (this.open = await systemApi.getLetter(letterId)));
  }

  async replay(letterId: string): Promise<void> {
    this.busy = letterId;
    await this.#try(async () => {
      const { replayed_at } = await systemApi.replayLetter(letterId);
      const note = <T extends Letter>(one: T): T =>
        one.letter_id === letterId ? { ...one, replayed_at } : one;
      this.list = this.list?.map(note) ?? null;
      if (this.open) this.open = note(this.open);
      this.counts = await systemApi.countLetters();
    });
    this.busy = null;
  }

  async replayAll(): Promise<void> {
    this.busy = 'all';
    this.replayed = null;
    await this.#try(async () => {
      for (let round = 0; round < ROUNDS_MAX; round++) {
        const { replayed, waiting } = await systemApi.replayLetters();
        this.replayed = (this.replayed ?? 0) + replayed.length;
        if (waiting === 0 || replayed.length === 0) break;
      }
      this.#isLong = false;
      await this.load();
    });
    this.busy = null;
  }

  async #try(act: () => Promise<void>): Promise<void> {
    try {
      await act();
      this.problem = null;
    } catch (error) {
      if (!isAbort(error)) this.problem = toProblem(error);
    }
  }
}
