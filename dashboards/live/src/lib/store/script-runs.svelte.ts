/* The runs of scripts on a device: the newest of them, and the one that is looked at in full. What
   the socket says is put in at once and read soon after, for it tells of no single step.

     list -> (one goes on, or the address names one) -> shown <- script_run
                                                        shown <- read again */
import type { DeviceMessage } from '../api-devices';
import { scriptApi, type ScriptRun, type ScriptRunDetail } from '../api-scripts';
import { toProblem, type Problem } from '../problem';
import { applyRun, applyToDetail, hasEnded, isNewer, mergeRuns } from '../script-runs';

const PAGE = 10;
/** Words come in bursts; a run is read once for all of them. */
const SOON_MS = 300;

export class ScriptRuns {
  rows = $state.raw<readonly ScriptRun[]>([]);
  loaded = $state(false);
  problem = $state.raw<Problem | null>(null);
  hasOlder = $state(false);
  loadingOlder = $state(false);
  /** The one that is looked at. */
  shown = $state.raw<ScriptRunDetail | null>(null);
  shownProblem = $state.raw<Problem | null>(null);
  aborting = $state(false);

  /** Which one is looked at, before it is read. */
  #wanted: string | null = null;
  #cursor: string | null = null;
  #hasPaged = false;
  #soon: ReturnType<typeof setTimeout> | undefined;
  #over = false;

  constructor(readonly deviceId: string) {}

  /** The one that goes on; the server lets a device have one. */
  get going(): ScriptRun | undefined {
    return this.rows.find((run) => !hasEnded(run));
  }

  async load(): Promise<void> {
    try {
      const page = await scriptApi.list(this.deviceId, { limit: PAGE });
      this.rows = mergeRuns(this.#hasPaged ? this.rows : this.#newer(page.data), page.data);
      if (!this.#hasPaged) this.#setCursor(page.next_cursor);
      [this.loaded, this.problem] = [true, null];
    } catch (error) {
      if (!this.loaded) this.problem = toProblem(error);
    }
    await this.#read();
  }

  async loadOlder(): Promise<void> {
    if (this.loadingOlder || this.#cursor === null) return;
    this.loadingOlder = true;
    try {
      const page = await scriptApi.list(this.deviceId, { limit: PAGE, cursor: this.#cursor });
      this.#hasPaged = true;
      this.rows = mergeRuns(this.rows, page.data);
      this.#setCursor(page.next_cursor);
    } catch (error) {
      this.problem = toProblem(error);
    } finally {
      this.loadingOlder = false;
    }
  }

  /** Look at one; null for none. */
  show(runId: string | null): void {
    if (runId === this.#wanted) return;
    this.#wanted = runId;
    if (this.shown?.run_id !== runId) [this.shown, this.shownProblem] = [null, null];
    void this.#read();
  }

  /** Have a text run; what the server refuses is thrown. */
  async run(text: string, confirmDangerous: boolean, key: string): Promise<ScriptRunDetail> {
    const begun = await scriptApi.run(this.deviceId, text, confirmDangerous, key);
    this.#wanted = begun.run_id;
    this.shownProblem = null;
    this.#take(begun);
    return begun;
  }

  /** Have the one that is looked at aborted; a refusal is thrown. */
  async abort(): Promise<void> {
    if (!this.shown || this.aborting) return;
    this.aborting = true;
    try {
      this.#apply(await scriptApi.abort(this.deviceId, this.shown.run_id));
    } finally {
      this.aborting = false;
      this.#readSoon();
    }
  }

  hear(message: DeviceMessage): void {
    if (message.type !== 'script_run') return;
    this.#apply(message.value);
    if (message.value.run_id === this.#wanted) this.#readSoon();
  }

  stop(): void {
    this.#over = true;
    clearTimeout(this.#soon);
  }

  #apply(said: ScriptRun): void {
    const known = this.rows.find(({ run_id: id }) => id === said.run_id);
    const newest = known ? applyRun(known, said) : said;
    this.rows = mergeRuns(this.rows, [newest]);
    if (this.shown?.run_id === said.run_id) this.shown = applyToDetail(this.shown, said);
  }

  #take(read: ScriptRunDetail): void {
    if (read.run_id !== this.#wanted || this.#over) return;
    const known = this.shown?.run_id === read.run_id ? this.shown : null;
    // A later word may have been heard while this was on its way.
    if (!known || isNewer(read, known)) this.shown = read;
    this.rows = mergeRuns(this.rows, [read]);
  }

  async #read(): Promise<void> {
    const wanted = this.#wanted;
    if (wanted === null || (this.shown?.run_id === wanted && this.#isWhole(this.shown))) return;
    try {
      this.#take(await scriptApi.get(this.deviceId, wanted));
      this.shownProblem = null;
    } catch (error) {
      if (this.#wanted === wanted && this.shown === null) this.shownProblem = toProblem(error);
    }
  }

  /** Of one that ended, with all that became of its steps, nothing more is to be read. */
  #isWhole(run: ScriptRunDetail): boolean {
    return hasEnded(run) && run.steps.every(({ state }) => state !== 'running' && state !== 'waiting');
  }

  #readSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      void this.#read();
    }, SOON_MS);
  }

  /** Those that were heard of since the page was read. */
  #newer(listed: readonly ScriptRun[]): readonly ScriptRun[] {
    const ids = new Set(listed.map(({ run_id: id }) => id));
    const newest = listed[0]?.created_at ?? '';
    return this.rows.filter(({ run_id: id, created_at: at }) => ids.has(id) || at > newest);
  }

  #setCursor(cursor: string | null): void {
    this.#cursor = cursor;
    this.hasOlder = cursor !== null;
  }
}
