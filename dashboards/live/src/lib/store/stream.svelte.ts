/* One stream as its page and its charts show it: who it is, its minutes, its moments. Charts follow
   `version`, which changes in the frame a message is drained; figures follow `shown`, published
   once a second. Take it from `streamPages`: all charts of a stream share one. */
import { api } from '../api';
import { chartApi, type WindowRow } from '../api-stream';
import { Baselines } from '../baseline';
import { isAbort, toProblem, type Problem } from '../problem';
import { MINUTE } from '../format';
import { carryOver, floorMinute, type Span } from '../minutes';
import { paced } from '../loop';
import { mergeMoments } from '../moment';
import { isNewer, type Batch } from '../queue';
import { streamState, type StreamState } from '../state';
import type { LatestMinute, MinuteRow, Moment, StreamInfo } from '../types';
import { clock } from './clock.svelte';
import { MinuteFeed, type Windows } from './feed.svelte';
import { link, type Listener } from './link.svelte';
import { compareMoments } from './moments.svelte';
import { Shared } from './shared';

const TEXT_EVERY_MS = 1000;
/** A minute may be revised this long after it closed, so this much is read again after a break. */
const REVISION_MS = 6 * MINUTE;
/** The figures stand beside what was usual in the last hour, whatever range the charts show. */
export const USUAL_MS = 60 * MINUTE;

export class StreamPage extends MinuteFeed<MinuteRow, WindowRow> implements Listener {
  readonly topics: readonly string[];
  readonly baselines = new Baselines(this.minutes);
  info = $state.raw<StreamInfo | null>(null);
  problem = $state.raw<Problem | null>(null);
  /** Deleted while it was on screen; what still arrives is of one that appeared anew. */
  deleted = $state(false);
  /** True until the first history has arrived. */
  loading = $state(true);
  /** The newest minute, as text shows it. */
  shown = $state.raw<LatestMinute | null>(null);
  moments = $state.raw<Moment[]>([]);
  isLive = $state(false);
  lastEventAt = $state<number | null>(null);

  #heardAt = -Infinity;
  #identity: Promise<void> | null = null;
  #unlisten: (() => void) | null = null;
  #publish = paced(() => {
    const last = this.minutes.last;
    const before = last && this.minutes.at(Date.parse(last.window_start) - MINUTE);
    this.shown = last ? carryOver(last, before) : (this.info?.latest ?? null);
    this.lastEventAt = this.#heardAt > 0 ? this.#heardAt : null;
  }, TEXT_EVERY_MS);

  constructor(readonly id: string) {
    super(isNewer);
    this.topics = [id];
  }

  /** The stream's first minute as far as it is known; Infinity when nothing is. */
  get begin(): number {
    const created = Date.parse(this.info?.created_at ?? '') || Infinity;
    return floorMinute(Math.min(created, this.minutes.bounds?.from ?? Infinity));
  }

  get state(): StreamState {
    return streamState(this.isLive, this.lastEventAt, this.shown?.chat_rate ?? null, clock.now);
  }

  /** Read what is not yet known of a span, its moments too. The first call also reads who the
      stream is, and what arrives from then on. */
  async show(view: Span, who: object = this): Promise<void> {
    try {
      await this.#know();
      await this.cover(view, who);
      this.problem = null;
      this.loading = false;
    } catch (error) {
      if (!isAbort(error)) this.problem = toProblem(error);
    }
  }

  /** The same of a span that is wider than a day: its windows, and its moments. */
  async showWide(view: Span): Promise<void> {
    try {
      await this.#know();
      await this.wide(view);
      this.problem = null;
      this.loading = false;
    } catch (error) {
      if (!isAbort(error)) this.problem = toProblem(error);
    }
  }

  take(batch: Batch): void {
    if (batch.deleted.includes(this.id)) return this.#vanish();
    const rows = batch.minutes.filter((row) => row.stream_id === this.id);
    const moments = batch.moments.filter((moment) => moment.stream_id === this.id);
    if (rows.length) this.add(rows);
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
      this.#vanish();
      return;
    }
    const start = Math.min(since, this.minutes.bounds?.to ?? since) - REVISION_MS;
    this.add(await this.readMinutes({ from: start, to: Date.now() + MINUTE }));
  }

  stop(): void {
    this.#unlisten?.();
    this.abort.abort();
    this.#publish.cancel();
  }

  protected async readMinutes(span: Span): Promise<readonly MinuteRow[]> {
    const [rows] = await Promise.all([
      api.listMinutes(this.id, { start: span.from, end: span.to }, this.abort.signal),
      this.#readMoments(span),
    ]);
    return rows;
  }

  protected async readWindows(span: Span): Promise<Windows<WindowRow>> {
    const range = { start: span.from, end: span.to };
    const [windows] = await Promise.all([
      chartApi.listWindows(this.id, range, this.abort.signal),
      this.#readMoments(span),
    ]);
    return windows;
  }

  protected override changed(rows: readonly MinuteRow[]): void {
    for (const row of rows) if (row.final) this.baselines.forget(Date.parse(row.window_start));
    this.#publish();
  }

  /** Know who the stream is, and follow it: only one that exists is subscribed to, since the socket
      may close over an unknown one. */
  async #know(): Promise<void> {
    this.#identity ??= this.#identify();
    try {
      await this.#identity;
    } catch (error) {
      this.#identity = null;
      throw error;
    }
    if (!this.abort.signal.aborted && !this.deleted) this.#unlisten ??= link.listen(this);
  }

  async #identify(): Promise<void> {
    const info = await api.getStream(this.id, this.abort.signal);
    this.info = info;
    this.isLive = info.is_live;
    if (info.last_event_at) this.#heardAt = Math.max(this.#heardAt, Date.parse(info.last_event_at));
    this.#publish();
  }

  async #readMoments({ from, to }: Span): Promise<void> {
    this.addMoments(await api.listMoments(this.id, { start: from, end: to }, this.abort.signal));
  }

  #vanish(): void {
    this.deleted = true;
    this.#unlisten?.();
    this.#unlisten = null;
  }
}

export const streamPages = new Shared((id) => new StreamPage(id));
