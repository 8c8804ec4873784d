/* The values of one channel of a session over what is shown: single ones where they can be told
   apart, minutes where there are too many. Values that come live are put behind them. */
import { sessionApi } from '../api-sessions';
import type { Span } from '../minutes';
import { addPoint, NONE, pointsOf, pointsOfMinutes, type Points } from '../points';
import { isAbort, toProblem, type Problem } from '../problem';
import type { Reading } from '../types';

/** Read beyond both sides, so that small steps ask for nothing. */
const AROUND = 0.5;
/** Zoomed in so far, minutes may have become single values. */
const CLOSER = 0.6;
/** Nothing is asked while a gesture goes on. */
const SETTLE_MS = 180;

export class SessionSeries {
  points = $state.raw<Points>(NONE);
  unit = $state<string | null>(null);
  isLoaded = $state(false);
  problem = $state.raw<Problem | null>(null);

  readonly streamId: string;
  readonly channel: string;
  #span: Span | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #abort = new AbortController();
  #arrived: { time: number; value: number }[] = [];

  constructor(
    private readonly sessionId: string,
    /** As the session calls it: of another stream `stream/channel`. */
    readonly name: string,
  ) {
    const [stream, channel] = name.includes('/') ? name.split('/', 2) : [sessionId, name];
    this.streamId = stream!;
    this.channel = channel!;
  }

  /** Have the values of a span; `isOpen`: it ends now, and what comes is put behind. */
  show(span: Span, isOpen: boolean): void {
    if (this.#covers(span)) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#load(span, isOpen), this.isLoaded ? SETTLE_MS : 0);
  }

  /** Something may be missing: the next look reads anew. */
  forget(): void {
    this.#span = null;
  }

  take(reading: Reading): void {
    const [time, { value }] = [Date.parse(reading.timestamp), reading];
    this.unit ??= reading.unit;
    // What comes while an answer is on its way may not be in it.
    this.#arrived = [...this.#arrived.slice(-500), { time, value }];
    if (this.#span && time >= this.#span.from && !this.points.minutes)
      this.points = addPoint(this.points, time, value);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#abort.abort();
  }

  #covers(span: Span): boolean {
    const had = this.#span;
    if (!had || span.from < had.from || span.to > had.to) return false;
    return !this.points.minutes || span.to - span.from > (had.to - had.from) * CLOSER * 0.5;
  }

  async #load(span: Span, isOpen: boolean): Promise<void> {
    const wide = (span.to - span.from) * AROUND;
    const asked = { from: span.from - wide, to: span.to + wide };
    this.#abort.abort();
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    this.#arrived = [];
    // Set before the answer: while it is on its way nobody asks again.
    this.#span = isOpen ? { ...asked, to: Infinity } : asked;
    try {
      const rows = await sessionApi.listPoints(this.sessionId, this.name, asked, signal);
      this.unit = rows?.[0]?.unit ?? this.unit;
      this.points = rows ? pointsOf(rows) : await this.#loadMinutes(asked, signal);
      if (rows)
        for (const { time, value } of this.#arrived)
          this.points = addPoint(this.points, time, value);
      this.isLoaded = true;
      this.problem = null;
    } catch (error) {
      if (isAbort(error)) return;
      this.#span = null;
      this.problem = toProblem(error);
    }
  }

  async #loadMinutes(span: Span, signal: AbortSignal): Promise<Points> {
    const rows = await sessionApi.listMinutes(this.streamId, this.channel, span, signal);
    this.unit = rows[0]?.unit ?? this.unit;
    return pointsOfMinutes(rows);
  }
}
