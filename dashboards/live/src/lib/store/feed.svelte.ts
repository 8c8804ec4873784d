/* The minutes of one source, a stream or a channel, for all charts that show it: what of their
   spans is not known yet is read, what arrives live is added, what nobody looks at is forgotten.
   Spans of more than a day are read in coarser windows, with the extremes of finer ones. */
import type { ResolutionName } from '../api-stream';
import { STEPS } from '../course';
import { MINUTE } from '../format';
import { MinuteSeries, type Dated, type Span } from '../minutes';
import { addSpan, missingIn, within } from '../spans';

/** Minutes this new are kept whatever is shown: figures stand beside the hour before them. */
const RECENT_MS = 60 * MINUTE;
/** Charts of one source ask within this time for the same; the answer is shared. */
const WIDE_SHARED_MS = 10_000;

export interface Windows<W> {
  resolution: ResolutionName;
  rows: W[];
  extremes: W[];
}

export interface Wide<W> extends Windows<W> {
  span: Span;
  step: number;
}

export abstract class MinuteFeed<T extends Dated, W extends Dated> {
  readonly minutes: MinuteSeries<T>;
  /** Changes with the minutes. */
  version = $state(0);
  /** Spans whose minutes are all here; what arrives by itself has no end. */
  covered = $state.raw<Span[]>([]);

  protected readonly abort = new AbortController();
  #views = new Map<object, Span>();
  #wides = new Map<string, { at: number; answer: Promise<Wide<W>> }>();

  constructor(isNewer: (row: T, known: T) => boolean) {
    this.minutes = new MinuteSeries(isNewer);
  }

  protected abstract readMinutes(span: Span): Promise<readonly T[]>;
  protected abstract readWindows(span: Span): Promise<Windows<W>>;
  protected changed(_rows: readonly T[]): void {}

  /** Read what is not yet known of a span, and keep it until `who` looks elsewhere. */
  async cover(wanted: Span, who: object): Promise<void> {
    this.#views.set(who, wanted);
    for (const span of missingIn(this.covered, wanted)) {
      const isLive = span.to > Date.now();
      this.add(await this.readMinutes(span));
      this.covered = addSpan(this.covered, { from: span.from, to: isLive ? Infinity : span.to });
    }
  }

  leave(who: object): void {
    this.#views.delete(who);
  }

  /** A span in windows as wide as the API thinks fit. */
  wide(span: Span): Promise<Wide<W>> {
    const now = performance.now();
    for (const [key, { at }] of this.#wides) if (now - at > WIDE_SHARED_MS) this.#wides.delete(key);
    const key = `${span.from} ${span.to}`;
    const known = this.#wides.get(key);
    if (known) return known.answer;
    const answer = this.readWindows(span).then((windows) => ({
      ...windows,
      span,
      step: STEPS[windows.resolution] ?? MINUTE,
    }));
    this.#wides.set(key, { at: now, answer });
    answer.catch(() => this.#wides.delete(key));
    return answer;
  }

  add(rows: readonly T[]): void {
    if (!this.minutes.add(rows)) return;
    this.changed(rows);
    const recent = { from: Date.now() - RECENT_MS, to: Infinity };
    const kept = [...this.#views.values()].reduce(addSpan, [recent]);
    if (this.minutes.trim(kept))
      this.covered = kept.flatMap((span) => within(this.covered, span)).reduce(addSpan, [] as Span[]);
    this.version += 1;
  }
}
