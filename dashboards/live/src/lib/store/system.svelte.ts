/* What the system page knows: two looks at /metrics and what lies between them, what runs, and the
   course of each figure over 15 minutes. Asked every five seconds while the page is open, and not
   while the tab is hidden. */
import { systemApi, type Process, type SystemInfo } from '../api-system';
import { findGone } from '../troubles';
import { Courses, EVERY_MS } from '../courses';
import { isAbort, toProblem, type Problem } from '../problem';
import { growth, quantile, ratePerSecond, total, type Choose, type Scrape } from '../prometheus';
import type { Batch } from '../queue';
import { health } from './health.svelte';
import { link, type Listener } from './link.svelte';

const NAMES = [
  'events',
  'refused',
  'requests',
  'failed',
  'p50',
  'p99',
  'append',
  'lag',
  'lagUsual',
  'applied',
  'commit',
  'sent',
  'dropped',
  'sockets',
  'hits',
  'lent',
  'screen50',
  'screen99',
  'points',
  'pointsLost',
  'untold',
  'commands',
] as const;
export type Figure = (typeof NAMES)[number];

/** Answers that nobody had to ask the database for. */
export const isAtHand: Choose = ({ result }) => result === 'memory' || result === 'redis';
const isFailed: Choose = ({ status }) => status?.startsWith('5') ?? false;
const SECONDS = 1000;

class SystemStore implements Listener {
  /** Everything, as Overview does: what is measured here is what people wait for there. */
  readonly topics = ['*'];
  readonly courses = new Courses<Figure>(NAMES);
  /** Counts looks; the courses themselves are not reactive. */
  version = $state(0);
  scrape = $state.raw<Scrape | null>(null);
  info = $state.raw<SystemInfo | null>(null);
  infoBefore: SystemInfo | null = null;
  problem = $state.raw<Problem | null>(null);
  /** Processes that told of themselves since the page was opened, and do no more. */
  gone = $state.raw<readonly Process[]>([]);
  /** Messages a second that reach this page. */
  arriving = $state<number | null>(null);

  #before: Scrape | null = null;
  #arrived = 0;
  #askedAt = 0;

  /** Ask until the answer is called. */
  start(): () => void {
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    this.#arrived = 0;
    this.#askedAt = 0;
    const poll = async (): Promise<void> => {
      if (!document.hidden) await this.ask(stop.signal);
      if (!stop.signal.aborted) timer = setTimeout(() => void poll(), EVERY_MS);
    };
    const leave = link.listen(this);
    void poll();
    return () => {
      stop.abort();
      clearTimeout(timer);
      leave();
    };
  }

  take(batch: Batch): void {
    this.#arrived += batch.minutes.length + batch.moments.length + batch.readings.length;
  }

  async catchUp(): Promise<void> {
    // What was missed is a hole in the courses, and says so.
  }

  async ask(signal?: AbortSignal): Promise<void> {
    const [scrape, info] = await Promise.allSettled([
      systemApi.scrape(signal),
      systemApi.read(signal),
    ]);
    if (signal?.aborted) return;
    const failed = [scrape, info].find((one) => one.status === 'rejected');
    this.problem = failed && !isAbort(failed.reason) ? toProblem(failed.reason) : null;
    // What could not be asked again is shown as it was, and marked as old by the view.
    if (info.status === 'fulfilled') {
      this.gone = findGone([...(this.info?.processes ?? []), ...this.gone], info.value.processes);
      [this.infoBefore, this.info] = [this.info, info.value];
    }
    if (scrape.status === 'fulfilled') [this.#before, this.scrape] = [this.scrape, scrape.value];
    this.#note(scrape.status === 'fulfilled');
    this.version += 1;
  }

  /** How much a counter grew in the last 15 minutes, as far as this page saw it. */
  sum(name: 'failed' | 'refused' | 'dropped' | 'pointsLost' | 'untold'): number | null {
    const known = this.courses.values(name).filter((value) => !Number.isNaN(value));
    return known.length ? known.reduce((sum, value) => sum + value, 0) : null;
  }

  value(name: string, choose?: Choose): number | null {
    return this.scrape ? total(this.scrape, name, choose) : null;
  }

  #note(isFresh: boolean): void {
    const now = Date.now();
    if (this.#askedAt > 0) this.arriving = this.#arrived / ((now - this.#askedAt) / SECONDS);
    [this.#arrived, this.#askedAt] = [0, now];
    const flow = health.latest?.flow;
    const screen = link.delay;
    this.courses.note(now, {
      ...(isFresh ? this.#between() : {}),
      lag: flow?.lag_ms ?? null,
      lagUsual: flow?.lag_usual_ms ?? null,
      applied: flow?.events_per_second ?? null,
      commit: this.info?.flow.commit_ms ?? null,
      screen50: screen?.p50 ?? null,
      screen99: screen?.p99 ?? null,
    });
  }

  #between(): Partial<Record<Figure, number | null>> {
    const [before, after] = [this.#before, this.scrape];
    if (!before || !after) return {};
    const rate = (name: string): number | null => ratePerSecond(before, after, name);
    const grown = growth.bind(null, before, after);
    const ms = (name: string, part: number): number | null => {
      const seconds = quantile(before, after, name, part);
      return seconds === null ? null : seconds * SECONDS;
    };
    const reads = grown('telemetra_cache_reads_total');
    const hits = grown('telemetra_cache_reads_total', isAtHand);
    const served = 'telemetra_requests_served_total';
    const isServed = grown(served) !== null;
    return {
      // A counter with labels is there only once it has counted; until then it counted nothing.
      events: rate('telemetra_events_accepted_total') ?? (isServed ? 0 : null),
      refused: grown('telemetra_events_rejected_total') ?? (isServed ? 0 : null),
      requests: rate(served),
      failed: grown(served, isFailed) ?? (isServed ? 0 : null),
      p50: ms('telemetra_requests_duration_seconds', 0.5),
      p99: ms('telemetra_requests_duration_seconds', 0.99),
      append: ms('telemetra_bus_append_seconds', 0.99),
      sent: rate('telemetra_live_messages_sent_total'),
      dropped: grown('telemetra_live_messages_dropped_total'),
      sockets: total(after, 'telemetra_live_connections'),
      hits: reads ? (hits ?? 0) / reads : null,
      points: rate('telemetra_device_points_total') ?? (isServed ? 0 : null),
      pointsLost: grown('telemetra_device_points_lost_total') ?? (isServed ? 0 : null),
      untold: grown('telemetra_device_news_untold_total') ?? (isServed ? 0 : null),
      commands: rate('telemetra_commands_moved_total') ?? (isServed ? 0 : null),
      lent: total(after, 'telemetra_database_connections_used'),
    };
  }
}

export const system = new SystemStore();
