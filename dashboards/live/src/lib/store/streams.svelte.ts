/* All streams as the overview shows them.

     /overview every 5 s ───────────► every stream: order, totals, what is silent
     messages of streams on screen ─► those rows, within a second

   Messages change plain fields; rows read them anew when `version` grows, at most once a second. */
import { api } from '../api';
import { MINUTE } from '../format';
import { InView } from '../in-view';
import { paced } from '../loop';
import { readColumns, type StreamFacts } from '../overview';
import type { Batch } from '../queue';
import type { OverviewPage } from '../types';
import { clock } from './clock.svelte';
import { link, type Listener } from './link.svelte';
import { SPARK_MINUTES, StreamEntry } from './stream-entry.svelte';

const TEXT_EVERY_MS = 1000;
/** How often every stream is looked at, on screen or not. */
const LOOK_EVERY_MS = 5000;
/** Asked for at each look, so that lines out of view stay whole: minutes close late. */
const LOOK_MINUTES = 3;
/** Rows that only pass by while scrolling are not worth a subscription. */
const FOLLOW_EVERY_MS = 300;

/** All streams together. */
export interface Totals {
  live: number;
  stale: number;
  gone: number;
  chat: number;
  viewers: number;
  /** Streams of which viewers are known. */
  watched: number;
}

export class StreamList implements Listener {
  /** Rows take their new figures once a second. */
  readonly paced = true;
  list = $state.raw<StreamEntry[]>([]);
  loaded = $state(false);
  totals = $state.raw<Totals>({ live: 0, stale: 0, gone: 0, chat: 0, viewers: 0, watched: 0 });
  kinds = $state.raw<string[]>([]);

  #topics: readonly string[] = [];
  #inView = new InView();
  #columns = new Map<number, readonly string[]>();
  #leaving: ReturnType<typeof setTimeout> | undefined;
  #byId = new Map<string, StreamEntry>();
  #changed = new Set<StreamEntry>();
  #deletions = 0;
  /** How many answers are on their way. */
  #looking = 0;
  /** Whether the past hour was read; a stream that appears later is young. */
  #hasLines = false;
  #publish = paced(() => this.#show(), TEXT_EVERY_MS);
  #follow = paced(() => this.#choose(), FOLLOW_EVERY_MS);
  /** A stream nobody knows yet: look again, soon but not for every event. */
  #lookSoon = paced(() => void this.#look(LOOK_MINUTES).catch(() => undefined), 3000);

  get topics(): readonly string[] {
    return this.#topics;
  }

  /** Read everything: first what the rows say, then their lines. */
  async load(): Promise<void> {
    await this.know();
    await this.#look(SPARK_MINUTES);
  }

  /** Read who the streams are, unless that is known. */
  async know(): Promise<void> {
    if (!this.loaded) await this.#look(0);
  }

  /** Look at all streams every few seconds until the returned function is called. */
  watch(): () => void {
    const look = (minutes: number): void => {
      if (document.hidden) return;
      for (const entry of this.list) entry.pass(clock.now);
      // After a break the link catches up; a slow answer is waited for.
      if (this.#looking > 0 || link.status.state === 'offline') return;
      this.#look(minutes).catch(() => undefined);
    };
    const onVisible = (): void => look(SPARK_MINUTES);
    const timer = setInterval(
      () => look(this.#hasLines ? LOOK_MINUTES : SPARK_MINUTES),
      LOOK_EVERY_MS,
    );
    document.addEventListener('visibilitychange', onVisible);
    const unlisten = link.listen(this);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', onVisible);
      unlisten();
    };
  }

  /** These rows of a column are on screen: follow them, and let go of those that left. */
  show(column: number, ids: readonly string[]): void {
    if (ids.length) this.#columns.set(column, ids);
    else this.#columns.delete(column);
    this.#inView.show([...this.#columns.values()].flat(), performance.now());
    this.#follow();
  }

  take(batch: Batch): void {
    if (batch.deleted.length) this.#remove(batch.deleted);
    for (const row of batch.minutes) this.#with(row.stream_id, (entry) => entry.addMinute(row));
    for (const { streamId, live } of batch.states)
      this.#with(streamId, (entry) => (entry.isLive = live));
    for (const [streamId, at] of batch.heard)
      this.#with(streamId, (entry) => {
        entry.hear(at);
        entry.isLive = true;
      });
  }

  async catchUp(since: number | null): Promise<void> {
    if (since !== null) await this.#look(SPARK_MINUTES);
  }

  async #look(minutes: number): Promise<void> {
    const deletions = this.#deletions;
    this.#looking += 1;
    const pages = await api.readOverview(minutes).finally(() => (this.#looking -= 1));
    // What was on its way while a stream was deleted may still name it.
    if (this.#deletions !== deletions) return this.#look(minutes);
    this.#take(pages.flatMap(readColumns));
    for (const page of pages) this.#fill(page);
    this.#hasLines ||= minutes === SPARK_MINUTES;
    this.#show();
    this.loaded = true;
  }

  #take(all: readonly StreamFacts[]): void {
    const before = this.list;
    const list = all.map((facts) => {
      const entry = this.#byId.get(facts.id) ?? new StreamEntry(facts);
      entry.update(facts);
      this.#changed.add(entry);
      return entry;
    });
    const same = list.length === before.length && list.every((entry, k) => entry === before[k]);
    if (same) return;
    this.#byId = new Map(list.map((entry) => [entry.id, entry]));
    this.list = list;
    this.kinds = [...new Set(list.map(({ kind }) => kind))].sort();
  }

  /** Put the rates of a page into the lines of its streams. */
  #fill({ data, start }: OverviewPage): void {
    const first = Date.parse(start) / MINUTE;
    data.id.forEach((id, k) => {
      const entry = this.#byId.get(id);
      data.rates[k]?.forEach((rate, slot) => {
        if (rate !== null) entry?.fillRate(first + slot, rate);
      });
      entry?.pass(clock.now);
    });
  }

  #remove(streamIds: readonly string[]): void {
    this.#deletions += 1;
    for (const streamId of streamIds) this.#byId.delete(streamId);
    this.list = this.list.filter((entry) => this.#byId.has(entry.id));
    this.#count();
  }

  #with(streamId: string, change: (entry: StreamEntry) => void): void {
    const entry = this.#byId.get(streamId);
    if (!entry) {
      if (this.loaded) this.#lookSoon();
      return;
    }
    change(entry);
    this.#touch(entry);
  }

  #show(): void {
    for (const entry of this.#changed) entry.publish();
    this.#changed.clear();
    this.#count();
    link.noteShown();
  }

  #touch(entry: StreamEntry): void {
    this.#changed.add(entry);
    this.#publish();
  }

  #count(): void {
    const totals: Totals = { live: 0, stale: 0, gone: 0, chat: 0, viewers: 0, watched: 0 };
    for (const entry of this.list) {
      const state = entry.stateAt(clock.now);
      totals[state] += 1;
      if (state === 'gone' || !entry.row) continue;
      totals.chat += entry.row.chat_rate;
      if (entry.row.avg_viewers === null) continue;
      totals.viewers += entry.row.avg_viewers;
      totals.watched += 1;
    }
    this.totals = totals;
  }

  #choose(): void {
    clearTimeout(this.#leaving);
    const now = performance.now();
    this.#topics = this.#inView.follow(now);
    link.retopic();
    const wait = this.#inView.nextIn(now);
    if (wait !== null) this.#leaving = setTimeout(this.#follow, wait);
  }
}

/** Kept while another view is on screen, so that coming back shows rows at once. */
export const streams = new StreamList();
