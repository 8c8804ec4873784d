/* One stream as its page shows it: who it is, its minutes, its moments. Charts follow
   `version`, which changes in the frame a message is drained; figures follow `shown`, published
   once a second. */
import { api } from '../api';
import { isAbort, toProblem, type Problem } from '../problem';
import { MINUTE } from '../format';
import { carryOver, MinuteSeries, type Span } from '../minutes';
import { paced } from '../loop';
import { mergeMoments } from '../moment';
import { isNewer, type Batch } from '../queue';
import { streamState, type StreamState } from '../state';
import type { LatestMinute, MinuteRow, Moment, StreamInfo } from '../types';
import { clock } from './clock.svelte';
import type { Listener } from './link.svelte';
import { compareMoments } from './moments.svelte';

const TEXT_EVERY_MS = 1000;
/** A minute may be revised this long after it closed, so this much is read again after a break. */
const REVISION_MS = 6 * MINUTE;
/** The figures stand beside what was usual in the last hour, whatever range the charts show. */
export const USUAL_MS = 60 * MINUTE;

export class StreamPage implements Listener {
  readonly topics: readonly string[];
  readonly minutes = new MinuteSeries<MinuteRow>(isNewer);
  info = $state.raw<StreamInfo | null>(null);
  problem = $state.raw<Problem | null>(null);
  /** Deleted while it was on screen; what still arrives is of one that appeared anew. */
  deleted = $state(false);
  /** True until the first history has arrived. */
  loading = $state(true);
  version = $state(0);
  /** The newest minute, as text shows it. */
  shown = $state.raw<LatestMinute | null>(null);
  moments = $state.raw<Moment[]>([]);
  isLive = $state(false);
  lastEventAt = $state<number | null>(null);

  #covered: Span | null = null;
  #view: Span | null = null;
  #abort = new AbortController();
  #heardAt = -Infinity;
  #publish = paced(() => {
    const last = this.minutes.last;
    const before = last && this.minutes.at(Date.parse(last.window_start) - MINUTE);
    this.shown = last ? carryOver(last, before) : (this.info?.latest ?? null);
    this.lastEventAt = this.#heardAt > 0 ? this.#heardAt : null;
  }, TEXT_EVERY_MS);

  constructor(readonly id: string) {
    this.topics = [id];
  }

  get state(): StreamState {
    return streamState(this.isLive, this.lastEventAt, this.shown?.chat_rate ?? null, clock.now);
  }

  /** Read what is not yet known of a span. The first call also reads who the stream is. */
  async show(view: Span): Promise<void> {
    this.#view = view;
    try {
      if (!this.info) await this.#identify();
      await this.#cover({ from: Math.min(view.from, view.to - USUAL_MS), to: view.to });
      this.problem = null;
      this.loading = false;
    } catch (error) {
      if (!isAbort(error)) this.problem = toProblem(error);
    }
  }

  take(batch: Batch): void {
    if (batch.deleted.includes(this.id)) this.deleted = true;
    const rows = batch.minutes.filter((row) => row.stream_id === this.id);
    const moments = batch.moments.filter((moment) => moment.stream_id === this.id);
    if (rows.length) this.#add(rows);
    if (moments.length) this.addMoments(moments);
    for (const { streamId, live } of batch.states) if (streamId === this.id) this.isLive = live;
    const heard = batch.heard.get(this.id);
    if (heard !== undefined) {
      this.#heardAt = Math.max(this.#heardAt, heard);
      this.isLive = true;
      this.#publish();
    }
  }

  /** Take moments from wherever they come: a list, a message, the answer to an action. */
  addMoments(moments: readonly Moment[]): void {
    this.moments = mergeMoments(this.moments, moments).sort(compareMoments);
  }

  async catchUp(since: number | null): Promise<void> {
    if (since === null || !this.info) return;
    try {
      await this.#identify();
    } catch (error) {
      if (toProblem(error).status !== 404) throw error;
      this.deleted = true;
      return;
    }
    const start = Math.min(since, this.minutes.bounds?.to ?? since) - REVISION_MS;
    await this.#fetch({ from: start, to: Date.now() + MINUTE });
  }

  stop(): void {
    this.#abort.abort();
    this.#publish.cancel();
  }

  async #identify(): Promise<void> {
    const info = await api.getStream(this.id, this.#abort.signal);
    this.info = info;
    this.isLive = info.is_live;
    if (info.last_event_at) this.#heardAt = Math.max(this.#heardAt, Date.parse(info.last_event_at));
    this.#publish();
  }

  async #cover(wanted: Span): Promise<void> {
    const known = this.#covered;
    if (known && wanted.from >= known.from && wanted.to <= known.to) return;
    const touches = known && wanted.from <= known.to && wanted.to >= known.from;
    const live = wanted.to > Date.now();
    if (known && touches && wanted.from < known.from) {
      await this.#fetch({ from: wanted.from, to: known.from });
    } else if (!touches) {
      await this.#fetch(wanted);
    }
    // What lies after a covered live span arrives by itself, so a live span is covered for good.
    const to = live ? Infinity : wanted.to;
    if (!known || touches)
      this.#covered = {
        from: Math.min(wanted.from, known?.from ?? Infinity),
        to: Math.max(to, known?.to ?? to),
      };
    else if (live) this.#covered = { from: wanted.from, to };
  }

  async #fetch(span: Span): Promise<void> {
    const range = { start: span.from, end: span.to };
    const signal = this.#abort.signal;
    const [rows, moments] = await Promise.all([
      api.listMinutes(this.id, range, signal),
      api.listMoments(this.id, range, signal),
    ]);
    this.#add(rows);
    this.addMoments(moments);
  }

  #add(rows: readonly MinuteRow[]): void {
    if (!this.minutes.add(rows)) return;
    const recent = Date.now() - USUAL_MS;
    if (this.#view && this.minutes.trim(this.#view, recent)) {
      this.#covered = { from: recent, to: Infinity };
    }
    this.version += 1;
    this.#publish();
  }

}
