/* All streams as the overview shows them. Messages change plain fields at once; what is on
   screen reads the reactive ones, which are published at most once a second. */
import { api } from '../api';
import { MINUTE } from '../format';
import { paced } from '../loop';
import { carryOver } from '../minutes';
import type { Batch } from '../queue';
import { isNewer } from '../queue';
import { Ring } from '../ring';
import { streamState, type StreamState } from '../state';
import type { LatestMinute, StreamInfo } from '../types';
import { clock } from './clock.svelte';
import { link, type Listener } from './link.svelte';

const TEXT_EVERY_MS = 1000;
const SPARK_MINUTES = 60;
/** With fewer closed minutes than this a “usual” would be a guess. */
const BASELINE_MINUTES = 5;
/** Requests for sparklines in flight at once; a browser keeps six connections to a host. */
const SPARK_REQUESTS = 4;

/** A minute that closed this recently may still be on its way. */
const ARRIVAL_MS = 20_000;

const time = (iso: string | null): number | null => (iso ? Date.parse(iso) : null);

export class StreamEntry {
  readonly id: string;
  title = $state<string | null>(null);
  kind = $state<string | null>(null);
  isLive = $state(false);
  lastEventAt = $state<number | null>(null);
  row = $state.raw<LatestMinute | null>(null);
  /** The median rate of the last hour's closed minutes. */
  usual = $state<number | null>(null);
  /** Grows when the sparkline has something new to draw. */
  drawn = $state(0);
  readonly rates = new Ring(SPARK_MINUTES);
  filled: 'no' | 'asked' | 'yes' = 'no';

  #before: LatestMinute | null = null;
  #next: { row: LatestMinute | null; isLive: boolean; heardAt: number | null };

  constructor(info: StreamInfo) {
    this.id = info.id;
    this.#next = { row: null, isLive: info.is_live, heardAt: null };
    this.update(info);
    this.publish();
  }

  get state(): StreamState {
    return streamState(this.isLive, this.lastEventAt, this.row?.chat_rate ?? null, clock.now);
  }

  update(info: StreamInfo): void {
    this.title = info.title;
    this.kind = info.kind;
    this.setLive(info.is_live);
    this.hear(time(info.last_event_at));
    if (info.latest) this.addMinute(info.latest);
  }

  addMinute(row: LatestMinute): void {
    const minute = Date.parse(row.window_start) / MINUTE;
    this.rates.set(minute, row.chat_rate);
    const known = this.#next.row;
    const knownMinute = known ? Date.parse(known.window_start) / MINUTE : -Infinity;
    if (minute > knownMinute || (minute === knownMinute && known && isNewer(row, known))) {
      this.#next.row = carryOver(row, minute > knownMinute ? known : this.#before);
      if (minute > knownMinute) this.#before = known;
    } else if (known && minute === knownMinute - 1) {
      this.#before = row;
      this.#next.row = carryOver(known, row);
    }
  }

  setLive(live: boolean): void {
    this.#next.isLive = live;
  }

  hear(at: number | null): void {
    if (at !== null && at > (this.#next.heardAt ?? -Infinity)) this.#next.heardAt = at;
  }

  /** Let time pass for a stream that says nothing: its line moves on, with a hole at the end. */
  pass(now: number): void {
    if (this.rates.advance(Math.floor((now - ARRIVAL_MS) / MINUTE) - 1)) this.drawn += 1;
  }

  publish(): void {
    this.row = this.#next.row;
    this.isLive = this.#next.isLive;
    this.lastEventAt = this.#next.heardAt;
    this.usual = this.rates.median(1, BASELINE_MINUTES);
    this.drawn += 1;
  }
}

export class StreamList implements Listener {
  readonly topics = ['*'];
  /** Rows take their new figures once a second. */
  readonly paced = true;
  list = $state.raw<StreamEntry[]>([]);
  loaded = $state(false);

  #byId = new Map<string, StreamEntry>();
  #changed = new Set<StreamEntry>();
  #deletions = 0;
  #sparkQueue: StreamEntry[] = [];
  #sparkRunning = 0;
  #publish = paced(() => {
    for (const entry of this.#changed) entry.publish();
    this.#changed.clear();
    link.noteShown();
  }, TEXT_EVERY_MS);
  /** A stream nobody knows yet: read the list again, soon but not for every event. */
  #reload = paced(() => void this.load().catch(() => undefined), 3000);

  async load(): Promise<void> {
    const deletions = this.#deletions;
    const infos = await api.listStreams();
    // A list that was on its way while a stream was deleted may still name it.
    if (this.#deletions !== deletions) return this.load();
    this.list = infos.map((info) => {
      const entry = this.#byId.get(info.id) ?? new StreamEntry(info);
      entry.update(info);
      entry.pass(clock.now);
      this.#touch(entry);
      return entry;
    });
    this.#byId = new Map(this.list.map((entry) => [entry.id, entry]));
    this.loaded = true;
  }

  take(batch: Batch): void {
    if (batch.deleted.length) this.#remove(batch.deleted);
    for (const row of batch.minutes) this.#with(row.stream_id, (entry) => entry.addMinute(row));
    for (const { streamId, live } of batch.states)
      this.#with(streamId, (entry) => entry.setLive(live));
    for (const [streamId, at] of batch.heard)
      this.#with(streamId, (entry) => {
        entry.hear(at);
        entry.setLive(true);
      });
  }

  /** Read the list again, and the lines of the rows on screen, which may have missed minutes. */
  async refresh(): Promise<void> {
    for (const entry of this.list) if (entry.filled === 'yes') entry.filled = 'no';
    await this.load();
  }

  async catchUp(since: number | null): Promise<void> {
    if (since !== null) await this.refresh();
  }

  pass(now: number): void {
    for (const entry of this.list) entry.pass(now);
  }

  /** Fetch the last hour of a row that came on screen. */
  needSpark(entry: StreamEntry): void {
    if (entry.filled !== 'no') return;
    entry.filled = 'asked';
    this.#sparkQueue.push(entry);
    this.#nextSpark();
  }

  #remove(streamIds: readonly string[]): void {
    this.#deletions += 1;
    for (const streamId of streamIds) this.#byId.delete(streamId);
    this.list = this.list.filter((entry) => this.#byId.has(entry.id));
  }

  #with(streamId: string, change: (entry: StreamEntry) => void): void {
    const entry = this.#byId.get(streamId);
    if (!entry) {
      if (this.loaded) this.#reload();
      return;
    }
    change(entry);
    this.#touch(entry);
  }

  #touch(entry: StreamEntry): void {
    this.#changed.add(entry);
    this.#publish();
  }

  #nextSpark(): void {
    if (this.#sparkRunning >= SPARK_REQUESTS) return;
    const entry = this.#sparkQueue.shift();
    if (!entry) return;
    this.#sparkRunning += 1;
    void api
      .listMinutes(entry.id, { start: Date.now() - SPARK_MINUTES * MINUTE })
      .then(
        (rows) => {
          for (const row of rows.reverse()) entry.addMinute(row);
          entry.filled = 'yes';
          this.#touch(entry);
        },
        () => {
          // The row still shows its figures; the line is asked for again after the next reconnect.
          entry.filled = 'yes';
        },
      )
      .finally(() => {
        this.#sparkRunning -= 1;
        this.#nextSpark();
      });
    this.#nextSpark();
  }
}

/** Kept while another view is on screen, so that coming back shows rows at once. */
export const streams = new StreamList();
