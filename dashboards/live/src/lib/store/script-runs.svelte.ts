/* The runs of scripts on a device, and the one that is looked at in full. What the socket says is put
   in at once and read soon after, for it tells of no single step.

     list -> (one goes on, or the address names one) -> shown <- script_run
                                                        shown <- read again */
import type { DeviceMessage } from '../api-devices';
import { scriptApi, type ScriptRun, type ScriptRunDetail } from '../api-scripts';
import { toProblem, type Problem } from '../problem';
import { applyRun, applyToDetail, hasEnded, isNewer, isSettled } from '../script-runs';
import { PagedList } from './paged-list.svelte';

const PAGE = 10;
/** Words come in bursts; all is read once for them. */
const SOON_MS = 300;

export class ScriptRuns extends PagedList<ScriptRun> {
  /** The one that is looked at. */
  shown = $state.raw<ScriptRunDetail | null>(null);
  shownProblem = $state.raw<Problem | null>(null);
  aborting = $state(false);

  /** Which one is looked at, before it is read. */
  #wanted: string | null = null;

  constructor(readonly deviceId: string) {
    super(SOON_MS);
  }

  /** The one that goes on; the server lets a device have one. */
  get going(): ScriptRun | undefined {
    return this.rows.find((run) => !hasEnded(run));
  }

  override async load(): Promise<void> {
    await Promise.all([super.load(), this.#read()]);
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
    [this.#wanted, this.shownProblem] = [begun.run_id, null];
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
      this.loadSoon();
    }
  }

  hear(message: DeviceMessage): void {
    if (message.type !== 'script_run') return;
    this.#apply(message.value);
    if (message.value.run_id === this.#wanted) this.loadSoon();
  }

  protected override ask(cursor?: string) {
    return scriptApi.list(this.deviceId, { limit: PAGE, cursor });
  }

  protected override idOf(run: ScriptRun): string {
    return run.run_id;
  }

  /** A later word may have been heard while a page was on its way. */
  protected override choose(known: ScriptRun, read: ScriptRun): ScriptRun {
    return applyRun(known, read);
  }

  protected override keeps(run: ScriptRun, page: readonly ScriptRun[]): boolean {
    return run.created_at > (page[0]?.created_at ?? '') || super.keeps(run, page);
  }

  #apply(said: ScriptRun): void {
    this.put(said);
    if (this.shown?.run_id === said.run_id) this.shown = applyToDetail(this.shown, said);
  }

  #take(read: ScriptRunDetail): void {
    this.put(read);
    if (read.run_id !== this.#wanted) return;
    const known = this.shown?.run_id === read.run_id ? this.shown : null;
    if (!known || isNewer(read, known)) this.shown = read;
  }

  async #read(): Promise<void> {
    const wanted = this.#wanted;
    if (wanted === null || (this.shown?.run_id === wanted && isSettled(this.shown))) return;
    try {
      this.#take(await scriptApi.get(this.deviceId, wanted));
      this.shownProblem = null;
    } catch (error) {
      if (this.#wanted === wanted && this.shown === null) this.shownProblem = toProblem(error);
    }
  }
}
