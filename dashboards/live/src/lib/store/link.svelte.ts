/* The state of the connection as the page shows it, and the way messages take through it: the
   socket fills the queue, one frame drains it, and the stores that are on screen take what is
   theirs. */
import { ClockOffset, Delays, type DelaySummary } from '../delays';
import { LiveLink } from '../live';
import { afterPaint, nextFrame } from '../loop';
import { LiveQueue, type Batch } from '../queue';
import { NOT_YET, type LinkStatus } from '../socket';
import { socketAddress } from '../socket-address';
import type { LiveMessage, Moment } from '../types';
import { access } from './access.svelte';
import { clock } from './clock.svelte';

export interface Listener {
  topics: readonly string[];
  /** What it takes is on screen only when it says so with `link.noteShown`. */
  paced?: boolean;
  /** Types of messages that nobody gets without naming them. */
  types?: readonly string[];
  take(batch: Batch): void;
  /** Fetch what was missed since that time; null when nothing was loaded yet. */
  catchUp(since: number | null): Promise<void>;
}

/** “Back” is news for this long. */
const BACK_SHOWN_MS = 12_000;
/** A subscription begins with what was known before: its stamps say nothing of delays. */
const SNAPSHOT_MS = 2000;
/** After skipped updates the stored minutes are read again, at most this often. */
const REPAIR_EVERY_MS = 10_000;

class Link {
  status = $state.raw<LinkStatus>(NOT_YET);
  /** Set after a reconnect, until it is closed or old. */
  back = $state.raw<{ at: number; missedMs: number } | null>(null);
  /** Updates skipped by the server for this client since the banner was last closed. */
  dropped = $state(0);
  /** Since when somebody holds the picture still; what arrives meanwhile is kept. */
  pausedAt = $state<number | null>(null);

  #queue = new LiveQueue();
  #listeners = new Set<Listener>();
  #repairedAt = 0;
  #offset = new ClockOffset();
  #delays = new Delays();
  /** The stamp of the oldest change that is not on screen yet. */
  #oldest: number | null = null;
  #settledAt = Infinity;
  #socket = new LiveLink({
    address: () => socketAddress('/ws/live'),
    refuse: () => access.refuse(access.key),
    status: (status) => this.#setStatus(status),
    measure: (sentAt, serverAt, heardAt) => this.#offset.learn(sentAt, serverAt, heardAt),
    receive: (message) => this.#receive(message),
    catchUp: (since) => this.#catchUp(since),
  });

  start(): void {
    this.#socket.start();
  }

  retryNow(): void {
    this.#socket.retryNow();
  }

  reconnect(): void {
    this.#socket.reconnect();
  }

  /** Hold the picture still; the newest of everything is kept for when it goes on. */
  pause(): void {
    this.pausedAt ??= Date.now();
    this.#oldest = null;
  }

  resume(): void {
    this.pausedAt = null;
    this.#settledAt = Date.now() + SNAPSHOT_MS;
    nextFrame(this.#drain);
  }

  /** From commit to screen, over the changes of the last minute. */
  get delay(): DelaySummary | null {
    return this.status.state === 'live' && this.pausedAt === null
      ? this.#delays.summary(Date.now())
      : null;
  }

  /** What was taken is drawn in this frame and the next. */
  noteShown(): void {
    const oldest = this.#oldest;
    this.#oldest = null;
    if (oldest === null) return;
    afterPaint(() => {
      const shownAt = performance.timeOrigin + performance.now();
      this.#delays.note(Date.now(), shownAt + (this.#offset.ahead ?? 0) - oldest);
    });
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    this.#subscribe();
    return () => {
      this.#listeners.delete(listener);
      this.#subscribe();
    };
  }

  /** Tell every view what this page did itself, in the way of a message; the message of it comes,
      too. */
  tell(moment: Moment): void {
    const at = new Date(clock.now).toISOString();
    this.#receive({
      type: 'moment',
      seq: 0,
      timestamp: at,
      stream_id: moment.stream_id,
      data: moment,
    });
  }

  /** A listener wants other topics than before. */
  retopic(): void {
    this.#subscribe();
  }

  #subscribe(): void {
    this.#settledAt = Date.now() + SNAPSHOT_MS;
    const listeners = [...this.#listeners];
    this.#socket.setTopics([...new Set(listeners.flatMap((one) => one.topics))]);
    this.#socket.setTypes([...new Set(listeners.flatMap((one) => one.types ?? []))]);
  }

  #setStatus(status: LinkStatus): void {
    const lostAt = this.status.lostAt;
    if (status.state === 'live' && lostAt !== null) {
      const back = { at: Date.now(), missedMs: Date.now() - lostAt };
      this.back = back;
      setTimeout(() => {
        if (this.back === back) this.back = null;
      }, BACK_SHOWN_MS);
    }
    if (status.state !== 'live') {
      this.#oldest = null;
      this.#settledAt = Infinity;
    } else if (this.status.state !== 'live') {
      this.#settledAt = Date.now() + SNAPSHOT_MS;
    }
    this.status = status;
  }

  /** Remember when the oldest change was committed that this frame will show. */
  #time(timestamp: string): void {
    // A hidden tab draws nothing: what it shows late, nobody waited for.
    if (document.hidden) this.#settledAt = Date.now() + SNAPSHOT_MS;
    if (Date.now() < this.#settledAt) return;
    const at = Date.parse(timestamp);
    if (this.#oldest === null || at < this.#oldest) this.#oldest = at;
  }

  #receive(message: LiveMessage): void {
    if (message.type === 'connected') {
      clock.set(message.timestamp);
    } else if (message.type === 'dropped') {
      // What a newer version stands for is not lost.
      const lost = message.count - message.replaced;
      this.dropped += lost;
      if (lost > 0) this.#repair();
    } else if (message.type === 'resumed') {
      if (!message.complete) this.#repair();
    } else if (this.#queue.push(message) && this.pausedAt === null) {
      this.#time(message.timestamp);
      nextFrame(this.#drain);
    }
  }

  #drain = (): void => {
    // A frame that was asked for before the pause began draws nothing.
    if (this.pausedAt !== null) return;
    const batch = this.#queue.drain();
    const listeners = [...this.#listeners];
    for (const listener of listeners) listener.take(batch);
    if (!listeners.some((listener) => listener.paced)) this.noteShown();
    if (batch.overflowed) this.#repair();
  };

  #repair(): void {
    const now = Date.now();
    if (now - this.#repairedAt < REPAIR_EVERY_MS) return;
    this.#repairedAt = now;
    // A failed repair leaves a gap of which the next closed minute or reconnect takes care.
    this.#catchUp(now - REPAIR_EVERY_MS).catch(() => undefined);
  }

  async #catchUp(since: number | null): Promise<void> {
    await Promise.all([...this.#listeners].map((listener) => listener.catchUp(since)));
  }
}

export const link = new Link();
