/* One board on screen: what the server keeps, what is being made of it, and the way between.

     change -> shown at once -> saved after a pause -> another was faster? -> both, and a question

   Boards of others are looked at again every half a minute, so that a wall follows them. */
import { boardApi } from '../api-boards';
import { draftOf, isSame, isWhole, mergeDrafts, type Board, type Draft } from '../boards';
import { toProblem, type Problem } from '../problem';

/** Arranging is many small steps; one request after the last of them is enough. */
const SAVE_AFTER_MS = 800;
const LOOK_EVERY_MS = 30_000;
/** Steps that can be taken back. */
const STEPS_MAX = 50;

export type Saving = 'saved' | 'waiting' | 'saving' | 'failed' | 'conflict' | 'gone';

export class OpenBoard {
  /** As the server keeps it, as far as is known. */
  kept = $state.raw<Board | null>(null);
  draft = $state.raw<Draft | null>(null);
  saving = $state<Saving>('saved');
  problem = $state.raw<Problem | null>(null);
  /** What somebody else made of it while it was being changed here. */
  theirs = $state.raw<Board | null>(null);
  steps = $state.raw<readonly Draft[]>([]);

  #timer: ReturnType<typeof setTimeout> | undefined;
  #look: ReturnType<typeof setInterval>;
  #abort = new AbortController();

  constructor(readonly id: string) {
    this.#look = setInterval(() => void this.#lookAgain(), LOOK_EVERY_MS);
    addEventListener('pagehide', this.#leave);
  }

  get isWhole(): boolean {
    return this.draft !== null && isWhole(this.draft.charts);
  }

  async load(): Promise<void> {
    try {
      this.#take(await boardApi.get(this.id, this.#abort.signal));
      this.problem = null;
    } catch (error) {
      if (!this.#abort.signal.aborted) this.problem = toProblem(error);
    }
  }

  change(change: Partial<Draft>): void {
    const before = this.draft;
    if (!before || !this.isWhole) return;
    const after = { ...before, ...change };
    if (isSame(before, after)) return;
    this.steps = [...this.steps, before].slice(-STEPS_MAX);
    this.#show(after);
  }

  /** Whether there was a step to take back. */
  undo(): boolean {
    const before = this.steps.at(-1);
    if (!before) return false;
    this.steps = this.steps.slice(0, -1);
    this.#show(before);
    return true;
  }

  async save(isLast = false): Promise<void> {
    clearTimeout(this.#timer);
    const { kept, draft } = this;
    if (!kept || !draft || this.saving === 'saving') return;
    this.saving = 'saving';
    try {
      const board = await boardApi.put(this.id, draft, kept.version, isLast);
      this.kept = board;
      this.problem = null;
      // What was changed while the answer was on its way is saved next.
      if (isSame(draft, this.draft)) this.saving = 'saved';
      else this.#wait();
    } catch (error) {
      await this.#explain(toProblem(error));
    }
  }

  /** After somebody else was faster: what is on screen, which has theirs in it. */
  keepBoth(): Promise<void> {
    if (this.theirs) this.kept = this.theirs;
    this.theirs = null;
    return this.save();
  }

  takeTheirs(): void {
    if (this.theirs) this.#take(this.theirs);
  }

  /** Make the board anew that somebody deleted while it was on screen. */
  async bringBack(): Promise<void> {
    if (!this.draft) return;
    try {
      this.#take(await boardApi.put(this.id, this.draft, null));
      this.problem = null;
    } catch (error) {
      this.problem = toProblem(error);
    }
  }

  stop(): void {
    this.#leave();
    this.#abort.abort();
    clearInterval(this.#look);
    clearTimeout(this.#timer);
    removeEventListener('pagehide', this.#leave);
  }

  #leave = (): void => {
    if (this.saving === 'waiting') void this.save(true);
  };

  #show(draft: Draft): void {
    this.draft = draft;
    // While the question is open nothing is saved, and a request on its way is waited for.
    if (this.saving === 'saved' || this.saving === 'failed' || this.saving === 'waiting')
      this.#wait();
  }

  #wait(): void {
    this.saving = 'waiting';
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.save(), SAVE_AFTER_MS);
  }

  #take(board: Board): void {
    this.kept = board;
    this.draft = draftOf(board);
    this.theirs = null;
    this.steps = [];
    this.saving = 'saved';
  }

  async #explain(problem: Problem): Promise<void> {
    this.saving = 'failed';
    this.problem = problem;
    if (problem.status === 404) this.saving = 'gone';
    if (problem.status !== 412 || !this.kept || !this.draft) return;
    try {
      const theirs = await boardApi.get(this.id);
      const merged = mergeDrafts(draftOf(this.kept), this.draft, draftOf(theirs));
      this.theirs = theirs;
      this.draft = merged;
      // Steps from before know nothing of theirs: taking one back would take theirs away.
      this.steps = [];
      this.saving = 'conflict';
      this.problem = null;
    } catch (error) {
      this.problem = toProblem(error);
    }
  }

  async #lookAgain(): Promise<void> {
    if (this.saving !== 'saved' || document.hidden || !this.kept) return;
    try {
      const board = await boardApi.get(this.id, this.#abort.signal);
      if (this.saving === 'saved' && board.version !== this.kept.version) this.#take(board);
    } catch (error) {
      // A server that is away is told by the banner; a board that is gone only here.
      if (toProblem(error).status === 404) this.saving = 'gone';
    }
  }
}
