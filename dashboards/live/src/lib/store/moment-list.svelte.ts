/* The feed of moments across streams: what its lists were read to, what arrived since, and what of
   it the filter shows. Bounded: past FEED_MAX the oldest are let go, and `end` says from where an
   address goes on. */
import { momentsApi } from '../api-moments';
import { isShown, isWithin, STATES, type FeedFilter, type MomentState } from '../feed-filter';
import { advance, comparePlaces, findFloor, listLagging, openSources, type Source } from '../feed-pages';
import { isNewerMoment } from '../moment';
import { isAbort, toProblem, type Problem } from '../problem';
import type { Batch } from '../queue';
import type { Moment } from '../types';
import { api } from '../api';
import type { Listener } from './link.svelte';

/** Moments held at once: a megabyte or two, and more rows than anybody scrolls through. */
const FEED_MAX = 1000;
/** A step back is worth a button when it brings this many, ... */
const GAIN_LEAST = 20;
/** ... and looks no further than this many pages for words that are rare. */
const READS_MAX = 6;

export class MomentList implements Listener {
  /** Moments of all streams come to who listens to all of them. */
  readonly topics = ['*'];
  shown = $state.raw<readonly Moment[]>([]);
  /** Those that came while the list was not at its top. */
  waiting = $state(0);
  loading = $state(true);
  problem = $state.raw<Problem | null>(null);
  /** Back to when it was looked; null: to the beginning. */
  lookedTo = $state<number | null>(null);
  /** No more fit; older ones are at an address of their own. */
  full = $state(false);
  /** New ones slide in. The view says so as it scrolls. */
  atTop = true;
  /** Those that arrived while they were on screen. */
  readonly arrived = new Set<string>();

  #known = new Map<string, Moment>();
  #held = new Set<string>();
  #sources: Source<MomentState>[];
  #end: Moment | null = null;
  #words = '';
  #abort = new AbortController();
  #reading: Promise<void> | null = null;
  #round = 0;
  /** Whether the first list has been read: what comes after it is new. */
  #loaded = false;
  #asked = new Set<string>();

  constructor(
    readonly filter: FeedFilter,
    private readonly onnew: (moment: Moment) => void,
  ) {
    this.#words = filter.words;
    this.#sources = openSources(filter.states, STATES);
  }

  get hasMore(): boolean {
    return this.lookedTo !== null && !this.full;
  }

  setWords(words: string): void {
    if (words === this.#words) return;
    this.#words = words;
    this.#show();
    if (this.shown.length < GAIN_LEAST && this.hasMore) void this.more();
  }

  /** Read on until there is something new to show. Whoever asks meanwhile gets the same. */
  more(): Promise<void> {
    this.#reading ??= this.#more().finally(() => (this.#reading = null));
    return this.#reading;
  }

  /** Show those that were held back. */
  reveal(): void {
    this.#held.clear();
    this.#show();
  }

  take(batch: Batch): void {
    if (!batch.moments.length && !batch.deleted.length) return;
    const gone = new Set(batch.deleted);
    for (const [id, moment] of this.#known)
      if (gone.has(moment.stream_id)) this.#known.delete(id);
    for (const moment of batch.moments) this.#hear(moment);
    this.#trim();
    this.#show();
  }

  /** After a break: read anew what was known, in whatever state it is now. */
  async catchUp(since: number | null): Promise<void> {
    if (since !== null) await this.reload();
  }

  async reload(): Promise<void> {
    const [wanted, before] = [this.shown.length, new Set(this.#known.values())];
    this.#round += 1;
    this.#reading = null;
    this.#sources = openSources(this.filter.states, STATES);
    this.#end = null;
    const read = new Map<string, Moment>();
    await this.#guard(async () => {
      for (let k = 0; k < READS_MAX; k++) {
        await this.#read(read);
        if (read.size >= wanted || !findFloor(this.#sources)) break;
      }
      // What came while the lists were on their way stays.
      for (const moment of this.#known.values()) if (!before.has(moment)) keep(read, moment);
      const had = this.#known;
      this.#known = read;
      if (!this.#loaded) return;
      // What is newer than all that was known came while nothing was heard.
      const [newest] = [...before].sort(comparePlaces);
      for (const moment of read.values())
        if (!had.has(moment.moment_id) && (!newest || comparePlaces(moment, newest) < 0))
          this.#arrive(moment);
    });
  }

  /** Ask again for those whose shelf has ended: nobody tells of that. */
  pass(now: number): void {
    for (const moment of this.#known.values()) {
      const key = `${moment.moment_id} ${moment.shelved_until}`;
      const isOver = moment.shelved_until !== null && Date.parse(moment.shelved_until) <= now;
      if (!isOver || moment.state !== 'shelved' || this.#asked.has(key)) continue;
      this.#asked.add(key);
      api.getMoment(moment.moment_id).then(
        (told) => {
          keep(this.#known, told);
          this.#show();
        },
        // The next message about it, or the next list, says the same.
        () => undefined,
      );
    }
  }

  stop(): void {
    this.#abort.abort();
  }

  async #more(): Promise<void> {
    const before = this.shown.length;
    await this.#guard(async () => {
      for (let k = 0; k < READS_MAX; k++) {
        await this.#read(this.#known);
        this.#trim();
        this.#show();
        if (this.shown.length - before >= GAIN_LEAST || !this.hasMore) break;
      }
    });
  }

  async #guard(work: () => Promise<void>): Promise<void> {
    const round = this.#round;
    this.loading = true;
    try {
      await work();
      this.problem = null;
      this.#loaded = true;
    } catch (error) {
      if (isAbort(error) || this.#abort.signal.aborted) return;
      this.problem = toProblem(error);
    }
    if (round !== this.#round) return;
    this.loading = false;
    this.#show();
  }

  async #read(into: Map<string, Moment>): Promise<void> {
    const lagging = listLagging(this.#sources);
    const pages = await Promise.all(
      lagging.map(({ state, cursor }) =>
        momentsApi.list(this.filter, state, cursor, this.#abort.signal),
      ),
    );
    pages.forEach((page, index) => {
      advance(lagging[index]!, page);
      for (const moment of page.data) keep(into, moment);
    });
  }

  #hear(moment: Moment): void {
    if (!isWithin(this.filter, moment)) return;
    const isNew = !this.#known.has(moment.moment_id);
    keep(this.#known, moment);
    if (isNew && this.#loaded) this.#arrive(moment);
  }

  /** Nobody has seen it yet, wherever it came from. */
  #arrive(moment: Moment): void {
    if (!isShown(this.#filter, moment)) return;
    this.arrived.add(moment.moment_id);
    if (!this.atTop) this.#held.add(moment.moment_id);
    if (moment.version === 0) this.onnew(moment);
  }

  get #filter(): FeedFilter {
    return { ...this.filter, words: this.#words };
  }

  #trim(): void {
    if (this.#known.size <= FEED_MAX) return;
    const kept = [...this.#known.values()].sort(comparePlaces).slice(0, FEED_MAX);
    this.#known = new Map(kept.map((moment) => [moment.moment_id, moment]));
    this.#end = kept.at(-1)!;
  }

  #show(): void {
    const floors = [findFloor(this.#sources), this.#end].filter((place) => place !== null);
    const floor = floors.sort(comparePlaces)[0] ?? null;
    const filter = this.#filter;
    const found = [...this.#known.values()].filter(
      (moment) => isShown(filter, moment) && (!floor || comparePlaces(moment, floor) <= 0),
    );
    const ids = new Set(found.map((moment) => moment.moment_id));
    for (const id of this.#held) if (!ids.has(id)) this.#held.delete(id);
    this.shown = found
      .filter((moment) => !this.#held.has(moment.moment_id))
      .sort(comparePlaces);
    this.waiting = this.#held.size;
    this.lookedTo = floor && Date.parse(floor.timestamp);
    this.full = this.#end !== null;
  }
}

function keep(known: Map<string, Moment>, moment: Moment): void {
  const before = known.get(moment.moment_id);
  if (!before || isNewerMoment(moment, before)) known.set(moment.moment_id, moment);
}
