/* The one moment that is opened: read by its name, however old it is, and read again whenever
   something is told of it. What is gone meanwhile stays on screen, and says so. */
import { api } from '../api';
import { paced } from '../loop';
import { isAbort, toProblem, type Problem } from '../problem';
import type { Batch } from '../queue';
import type { MomentDetail } from '../types';
import type { Listener } from './link.svelte';

const AGAIN_MS = 1000;

export class OpenedMoment implements Listener {
  readonly topics: string[] = [];
  detail = $state.raw<MomentDetail | null>(null);
  problem = $state.raw<Problem | null>(null);
  /** Deleted with its stream while it was shown. */
  gone = $state(false);

  #stopped = false;
  #shelf: string | null = null;
  #again = paced(() => void this.load(), AGAIN_MS);

  constructor(readonly id: string) {}

  async load(): Promise<void> {
    try {
      this.show(await api.getMoment(this.id));
      this.problem = null;
    } catch (error) {
      if (isAbort(error) || this.#stopped) return;
      const problem = toProblem(error);
      if (problem.status === 404 && this.detail) this.gone = true;
      else this.problem = problem;
    }
  }

  /** Take it as an answer told it, unless what is known is newer. */
  show(told: MomentDetail): void {
    if (told.moment_id !== this.id || told.version < (this.detail?.version ?? 0)) return;
    this.detail = told;
  }

  take(batch: Batch): void {
    const stream = this.detail?.stream_id;
    if (stream !== undefined && batch.deleted.includes(stream)) this.gone = true;
    if (batch.moments.some((moment) => moment.moment_id === this.id)) this.#again();
  }

  /** What is shelved comes back by itself, and nobody tells of it. */
  pass(now: number): void {
    const until = this.detail?.shelved_until;
    if (!until || until === this.#shelf || Date.parse(until) > now) return;
    this.#shelf = until;
    this.#again();
  }

  async catchUp(since: number | null): Promise<void> {
    if (since !== null) await this.load();
  }

  stop(): void {
    this.#stopped = true;
    this.#again.cancel();
  }
}
