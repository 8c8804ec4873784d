/* The small lines of the feed: forty minutes around each moment, a few requests at a time, and what
   was read of a moment that is over is not read again. */
import { readCourse } from '../api-moments';
import { MINUTE } from '../format';
import { floorMinute, type Span } from '../minutes';
import type { Moment } from '../types';

export const SPARK_SLOTS = 40;
/** How much of it lies after the start. */
const AFTER = 13;
/** A browser keeps six connections to a host; the page wants some for itself. */
const AT_ONCE = 3;
/** Lines that are kept, each of 160 bytes. */
const KEPT_MAX = 1000;

class Sparks {
  #kept = new Map<string, Float32Array<ArrayBuffer>>();
  #running = 0;
  #waiting: (() => void)[] = [];

  /** A little after the start, or with its end, or now. */
  endOf(moment: Moment, now: number): number {
    const newest = moment.ended_at === null ? now : Date.parse(moment.ended_at);
    const start = floorMinute(Date.parse(moment.started_at));
    return Math.min(start + AFTER * MINUTE, floorMinute(newest) + MINUTE);
  }

  async read(
    moment: Moment,
    to: number,
    now: number,
    signal: AbortSignal,
  ): Promise<Float32Array<ArrayBuffer>> {
    const key = `${moment.moment_id} ${to}`;
    const span: Span = { from: to - SPARK_SLOTS * MINUTE, to };
    const known = this.#kept.get(key);
    if (known) return known;
    await this.#enter();
    try {
      signal.throwIfAborted();
      const values = new Float32Array(SPARK_SLOTS).fill(NaN);
      for (const { window_start, value } of await readCourse(moment, span, now, signal)) {
        const slot = (Date.parse(window_start) - span.from) / MINUTE;
        if (value !== null && slot >= 0 && slot < SPARK_SLOTS) values[slot] = value;
      }
      if (moment.ended_at !== null) this.#keep(key, values);
      return values;
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }

  async #enter(): Promise<void> {
    if (this.#running >= AT_ONCE) await new Promise<void>((go) => this.#waiting.push(go));
    this.#running += 1;
  }

  #keep(key: string, values: Float32Array<ArrayBuffer>): void {
    this.#kept.set(key, values);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT_MAX && oldest !== undefined) this.#kept.delete(oldest);
  }
}

export const sparks = new Sparks();
