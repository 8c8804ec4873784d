/* The minutes around the opened moment: read once, then as they come. Channels and transactions
   have no message of their own for a minute; their newest ones are read again after each. */
import { readCourse } from '../api-moments';
import { measureOf, pointOf, spanAround, type Point } from '../moment-course';
import { MINUTE } from '../format';
import { paced } from '../loop';
import { floorMinute, MinuteSeries } from '../minutes';
import { toProblem, isAbort, type Problem } from '../problem';
import { isNewer, type Batch } from '../queue';
import type { Moment } from '../types';
import { clock } from './clock.svelte';
import type { Listener } from './link.svelte';

const AGAIN_MS = 10_000;
/** A minute may be revised for this long. */
const REVISION_MS = 6 * MINUTE;

export class Course implements Listener {
  readonly topics: readonly string[];
  readonly minutes = new MinuteSeries<Point>(isNewer);
  version = $state(0);
  loading = $state(true);
  problem = $state.raw<Problem | null>(null);

  #abort = new AbortController();
  #again = paced(() => void this.#read(floorMinute(clock.now - REVISION_MS)), AGAIN_MS);

  constructor(readonly moment: Moment) {
    this.topics = [moment.stream_id];
  }

  load(): Promise<void> {
    return this.#read(spanAround(this.moment, clock.now).from);
  }

  take(batch: Batch): void {
    const own = batch.minutes.filter((row) => row.stream_id === this.moment.stream_id);
    if (!own.length) return;
    const measure = measureOf(this.moment);
    const points = own.flatMap((row) => pointOf(measure, row) ?? []);
    if (!points.length) this.#again();
    else if (this.minutes.add(points)) this.version += 1;
    const revised = { from: clock.now - REVISION_MS, to: Infinity };
    this.minutes.trim([spanAround(this.moment, clock.now), revised]);
  }

  async catchUp(since: number | null): Promise<void> {
    if (since !== null) await this.#read(floorMinute(since - REVISION_MS));
  }

  stop(): void {
    this.#abort.abort();
    this.#again.cancel();
  }

  async #read(from: number): Promise<void> {
    const { to } = spanAround(this.moment, clock.now);
    if (from >= to) return;
    try {
      const points = await readCourse(this.moment, { from, to }, clock.now, this.#abort.signal);
      if (this.minutes.add(points)) this.version += 1;
      this.problem = null;
    } catch (error) {
      if (isAbort(error)) return;
      this.problem = toProblem(error);
    }
    this.loading = false;
  }
}
