/* One stream as a row shows it. Messages and answers change plain fields; a row reads them anew when
   `version` grows. */
import { MINUTE } from '../format';
import { carryRow, type RowMinute, type StreamFacts } from '../overview';
import { isNewer } from '../queue';
import { Ring } from '../ring';
import { streamState, type StreamState } from '../state';

/** The length of a row's line. */
export const SPARK_MINUTES = 60;
/** With fewer closed minutes than this a “usual” would be a guess. */
const BASELINE_MINUTES = 5;
/** A minute that closed this recently may still be on its way. */
const ARRIVAL_MS = 20_000;

const minuteOf = (row: RowMinute): number => Date.parse(row.window_start) / MINUTE;

export class StreamEntry {
  readonly id: string;
  title: string | null = null;
  kind = '';
  isLive = false;
  lastEventAt: number | null = null;
  row: RowMinute | null = null;
  /** The median rate of the last hour's closed minutes. */
  usual: number | null = null;
  readonly rates = new Ring(SPARK_MINUTES);
  /** Grows when a row has something new to show. */
  version = $state(0);
  /** Grows when its line has something new to draw. */
  drawn = $state(0);

  #before: RowMinute | null = null;
  #lineChanged = false;
  #usualOf = -Infinity;

  constructor(facts: StreamFacts) {
    this.id = facts.id;
    this.update(facts);
  }

  stateAt(now: number): StreamState {
    return streamState(this.isLive, this.lastEventAt, this.row?.chat_rate ?? null, now);
  }

  update(facts: StreamFacts): void {
    this.title = facts.title;
    this.kind = facts.kind;
    this.isLive = facts.isLive;
    this.hear(facts.lastEventAt);
    if (!facts.minute) return;
    const known = this.row;
    // An answer may be older than what the socket has brought since.
    const older = known?.window_start === facts.minute.window_start;
    if (!older || facts.minute.revision >= known.revision) this.addMinute(facts.minute);
  }

  addMinute(row: RowMinute): void {
    const minute = minuteOf(row);
    this.setRate(minute, row.chat_rate);
    const known = this.row;
    const knownMinute = known ? minuteOf(known) : -Infinity;
    if (minute > knownMinute || (minute === knownMinute && known && isNewer(row, known))) {
      this.row = carryRow(row, minute > knownMinute ? known : this.#before);
      if (minute > knownMinute) this.#before = known;
    } else if (known && minute === knownMinute - 1) {
      this.#before = row;
      this.row = carryRow(known, row);
    }
  }

  setRate(minute: number, rate: number): void {
    if (this.rates.set(minute, rate)) this.#lineChanged = true;
  }

  /** Take a rate from an answer; of the newest minute the row may know better. */
  fillRate(minute: number, rate: number): void {
    if (minute !== this.rates.end || Number.isNaN(this.rates.at(minute))) this.setRate(minute, rate);
  }

  hear(at: number | null): void {
    if (at !== null && at > (this.lastEventAt ?? -Infinity)) this.lastEventAt = at;
  }

  /** Let time pass for a stream that says nothing: its line moves on, with a hole at the end. */
  pass(now: number): void {
    const closed = Math.floor((now - ARRIVAL_MS) / MINUTE) - 1;
    if (this.rates.advance(closed)) this.#lineChanged = true;
  }

  /** Let rows see what changed. */
  publish(): void {
    this.version += 1;
    if (!this.#lineChanged) return;
    this.#lineChanged = false;
    this.drawn += 1;
    // What is usual changes with a minute that closed, not with the one that runs.
    if (this.#usualOf === this.rates.end && this.usual !== null) return;
    this.#usualOf = this.rates.end;
    this.usual = this.rates.median(1, BASELINE_MINUTES);
  }
}
