/* The data of one chart, wherever it stands: taken from the feeds that all charts share, read in
   minutes or in wider windows as its span asks for, and put into the one form that is drawn, listed
   and exported. Made while a component is set up, and let go with it. */
import { chartApi, type ResolutionName } from '../lib/api-stream';
import { readMinutes, regionsFor, type Column } from '../lib/columns';
import type { Compare } from '../lib/compare';
import {
  envelopeOf,
  MINUTES_SPAN_MAX,
  placeRows,
  STEPS,
  stepGrid,
  type Course,
  type Edged,
} from '../lib/course';
import { MINUTE } from '../lib/format';
import { findGaps, floorMinute, type Span } from '../lib/minutes';
import { isAbort, toProblem, type Problem } from '../lib/problem';
import { within } from '../lib/spans';
import { ChannelFeed, channelFeeds, channelKey } from '../lib/store/channels.svelte';
import { clock } from '../lib/store/clock.svelte';
import type { Wide } from '../lib/store/feed.svelte';
import { link } from '../lib/store/link.svelte';
import { StreamPage, streamPages } from '../lib/store/stream.svelte';
import { KINDS, TransactionFeed, transactionFeeds } from '../lib/store/transactions.svelte';
import type { MinuteRow } from '../lib/types';
import type { WindowRow, ChannelWindow } from '../lib/api-stream';
import type { ChartRegion } from '../lib/columns';
import { METRICS, type ChartOf, type Metric } from './metrics';

/** A minute that closed this recently may still be on its way. */
const ARRIVAL_MS = 20_000;
/** Channels send every few seconds; without a reading for this long something is wrong. */
const CHANNEL_STALE_MS = 90_000;
/** A gesture asks for nothing before it rests this long. */
const REST_MS = 120;
/** A wide range is read again when its end has moved by about a pixel. */
const WIDE_PIXELS = 1000;

export interface Shown {
  span: Span;
  live: boolean;
  compare: Compare | null;
  /** The moment that is opened beside the charts. */
  opened: string | null;
}

/** Over how many seconds the metrics of chat moments count messages. */
const CHAT_SECONDS: Readonly<Record<string, number>> = { chat_rate: 1, chat_count: 60 };

type OwnRow = Pick<MinuteRow, 'chat_rate' | 'avg_viewers' | 'avg_sentiment' | 'peak_viewers'>;

const VALUES: Record<'chat' | 'viewers' | 'sentiment', (row: OwnRow) => number | null> = {
  chat: (row) => row.chat_rate,
  viewers: (row) => row.avg_viewers,
  sentiment: (row) => row.avg_sentiment,
};

const isOwn = (metric: Metric): metric is keyof typeof VALUES => metric in VALUES;
const column = <T>(rows: readonly (T | null)[], pick: (row: T) => number | null): Column =>
  rows.map((row) => (row ? pick(row) : null));
const startOf = (row: { window_start: string }): number => Date.parse(row.window_start);

export class MetricData {
  readonly page: StreamPage;
  readonly channel: ChannelFeed | null = null;
  readonly gifts: TransactionFeed | null = null;
  problem = $state.raw<Problem | null>(null);
  /** True until something is known of the span. */
  loading = $state(true);

  #wide = $state.raw<Wide<WindowRow | ChannelWindow> | null>(null);
  #compared = $state.raw<{ shift: number; step: number; at: Map<number, number | null> } | null>(
    null,
  );

  // The clock ticks every second; charts change with the minute only.
  readonly #minute = $derived.by(() => floorMinute(clock.now));
  readonly #settled = $derived.by(() => floorMinute(clock.now - ARRIVAL_MS));
  readonly isWide = $derived.by(() => {
    const { from, to } = this.shown().span;
    return to - from > MINUTES_SPAN_MAX;
  });
  /** Transactions are kept by the minute, and so shown for a day at the most. */
  readonly isTooWide = $derived.by(() => this.isWide && this.gifts !== null);
  readonly course: Course = $derived.by(() => {
    if (this.isTooWide) return this.#nothing();
    if (this.isWide) return this.#wideCourse();
    if (this.gifts) return this.#giftCourse(this.gifts);
    return this.channel ? this.#channelCourse(this.channel) : this.#ownCourse();
  });
  readonly compare: Column | null = $derived.by(() => {
    const compared = this.#compared;
    if (!compared || !this.shown().compare || compared.step !== this.course.step) return null;
    return this.course.grid.map((start) => compared.at.get(start - compared.shift) ?? null);
  });
  readonly regions: ChartRegion[] = $derived.by(() => {
    const { span, opened } = this.shown();
    const { channel } = this;
    const moments = channel
      ? this.page.moments.filter((one) => one.metric_name === channel.name)
      : this.page.moments;
    return regionsFor(this.style.moments, moments, span, opened);
  });
  readonly begin = $derived.by(() => {
    void [this.page.version, this.channel?.version];
    if (this.channel) return this.isWide ? -Infinity : (this.channel.minutes.bounds?.from ?? Infinity);
    const first = this.isWide ? this.course.values.findIndex((value) => value !== null) : -1;
    return Math.min(this.page.begin, this.course.grid[first] ?? Infinity);
  });
  readonly gaps: Span[] = $derived.by(() => {
    const { grid, values, step, known } = this.course;
    const late = this.isWide ? step : this.channel ? MINUTE : 0;
    const end = this.#settled - late;
    return known.flatMap(({ from, to }) =>
      findGaps(grid, values, Math.max(from, this.begin), Math.min(to, end), step),
    );
  });
  readonly stale = $derived.by(() => {
    if (link.status.state === 'offline') return true;
    if (!this.channel) return this.page.state !== 'live';
    const { lastAt } = this.channel;
    return lastAt === null || clock.now - lastAt > CHANNEL_STALE_MS;
  });
  /** Minutes until there is a band; 0 when there is one, or none is drawn. */
  readonly warming = $derived.by(() => {
    void this.page.version;
    if (this.what.metric !== 'chat' || this.isWide || !this.shown().live) return 0;
    return this.page.baselines.missing(this.#minute);
  });

  constructor(
    readonly what: ChartOf,
    private readonly shown: () => Shown,
  ) {
    const { stream, metric, channel } = what;
    this.page = streamPages.take(stream);
    if (metric === 'channel') this.channel = channelFeeds.take(channelKey(stream, channel ?? ''));
    if (metric === 'transactions') this.gifts = transactionFeeds.take(stream);
    $effect(() => () => this.#letGo());
    $effect(() => this.#follow());
    $effect(() => this.#followCompared());
  }

  get style() {
    return METRICS[this.what.metric];
  }

  async load(): Promise<void> {
    const { span } = this.shown();
    try {
      await (this.isWide ? this.#loadWide(span) : this.#loadMinutes(span));
      this.problem = this.page.problem;
      this.loading = false;
    } catch (error) {
      if (!isAbort(error)) this.problem = toProblem(error);
    }
  }

  #follow(): () => void {
    const { span } = this.shown();
    // A live span grows by itself; a wide one is read again now and then.
    const width = span.to - span.from;
    const every = this.isWide ? Math.max(MINUTE, width / WIDE_PIXELS) : MINUTE;
    void [width, Math.floor(span.to / every), this.isTooWide];
    const timer = setTimeout(() => void this.load(), this.loading ? 0 : REST_MS);
    return () => clearTimeout(timer);
  }

  async #loadMinutes(span: Span): Promise<void> {
    await this.page.show(span, this);
    if (this.page.problem) return;
    await this.gifts?.cover(span, this);
    if (!this.channel) return;
    this.channel.follow();
    await this.channel.cover(span, this);
  }

  async #loadWide(span: Span): Promise<void> {
    if (this.isTooWide) return;
    await this.page.showWide(span);
    if (this.page.problem) return;
    const wide = await (this.channel ?? this.page).wide(span);
    this.channel?.follow();
    if (this.shown().span.from === span.from || !this.#wide) this.#wide = wide;
    else void this.load();
  }

  #letGo(): void {
    const { stream, channel } = this.what;
    this.page.leave(this);
    streamPages.drop(stream);
    if (this.gifts) {
      this.gifts.leave(this);
      transactionFeeds.drop(stream);
    }
    if (!this.channel) return;
    this.channel.leave(this);
    channelFeeds.drop(channelKey(stream, channel ?? ''));
  }

  // -- courses --

  #nothing(span = this.shown().span, step = MINUTE): Course {
    const grid = stepGrid(span, step);
    return {
      grid,
      step,
      values: grid.map(() => null),
      openFrom: grid.length,
      envelope: null,
      band: null,
      parts: [],
      more: [],
      known: [],
    };
  }

  #ownCourse(): Course {
    const { page, what } = this;
    void page.version;
    const { span } = this.shown();
    const { grid, rows, openFrom } = readMinutes(page.minutes, span);
    const pick = isOwn(what.metric) ? VALUES[what.metric] : VALUES.chat;
    return {
      ...this.#nothing(span),
      grid,
      openFrom,
      values: column(rows, pick),
      band: what.metric === 'chat' ? page.baselines.band(grid) : null,
      more: this.#more(rows),
      known: within(page.covered, span),
    };
  }

  #channelCourse(channel: ChannelFeed): Course {
    void channel.version;
    const { span } = this.shown();
    const { grid, rows } = readMinutes(channel.minutes, span);
    const values = column(rows, (row) => row.mean);
    const { lastAt, lastValue } = channel;
    // Until the minute closes its last reading stands for it.
    const open = this.stale || lastAt === null ? -1 : grid.indexOf(floorMinute(lastAt));
    if (open >= 0 && values[open] === null) values[open] = lastValue;
    const closed = rows.findLastIndex((row) => row?.final);
    const openFrom = values.findIndex((value, k) => k > closed && value !== null);
    const edges = rows.flatMap((row) =>
      row ? [{ at: startOf(row), low: row.min, high: row.max }] : [],
    );
    return {
      ...this.#nothing(span),
      grid,
      values,
      openFrom: openFrom < 0 ? grid.length : openFrom,
      envelope: envelopeOf(edges, span, MINUTE),
      more: [
        { name: 'min', values: column(rows, (row) => row.min) },
        { name: 'max', values: column(rows, (row) => row.max) },
      ],
      known: within(channel.covered, span),
    };
  }

  #giftCourse(gifts: TransactionFeed): Course {
    void gifts.version;
    const { span } = this.shown();
    const { grid, rows, openFrom } = readMinutes(gifts.minutes, span);
    const present = KINDS.filter((kind) => rows.some((row) => row?.counts[kind]));
    const parts = present.map((name) => ({
      name,
      values: column(rows, (row) => row.counts[name] ?? 0),
    }));
    const values = rows.map((row) =>
      row ? Object.values(row.counts).reduce((sum, one) => sum + one, 0) : null,
    );
    return { ...this.#nothing(span), grid, openFrom, values, parts };
  }

  #wideCourse(): Course {
    const wide = this.#wide;
    if (!wide) return this.#nothing();
    const { step, span } = wide;
    const grid = stepGrid(span, step);
    const own = this.channel === null;
    const rows = placeRows(wide.rows, grid, step);
    const values = column(rows, (row) => this.#valueOf(row));
    const newest = this.#minute;
    const open = grid.findIndex((start, k) => start + step > newest && values[k] !== null);
    const edges = [...wide.extremes, ...wide.rows].map((row) => this.#edgesOf(row));
    return {
      ...this.#nothing(span, step),
      grid,
      values,
      openFrom: open < 0 ? grid.length : open,
      envelope: envelopeOf([...edges, ...this.#peaks()], span),
      more: own ? this.#more(rows as (WindowRow | null)[]) : this.#channelMore(rows),
      known: [span],
    };
  }

  #valueOf(row: WindowRow | ChannelWindow): number | null {
    if ('mean' in row) return row.mean;
    return isOwn(this.what.metric) ? VALUES[this.what.metric](row) : null;
  }

  #edgesOf(row: WindowRow | ChannelWindow): Edged {
    const at = startOf(row);
    if ('mean' in row) return { at, low: row.min, high: row.max };
    const value = this.#valueOf(row);
    return { at, low: value, high: this.what.metric === 'viewers' ? row.peak_viewers : value };
  }

  /** The peaks of chat that became moments: a window of hours knows only its mean. */
  #peaks(): Edged[] {
    if (this.what.metric !== 'chat') return [];
    return this.page.moments.flatMap((moment) => {
      if (!(moment.metric_name in CHAT_SECONDS)) return [];
      const value = moment.metric_value / CHAT_SECONDS[moment.metric_name]!;
      return [{ at: floorMinute(Date.parse(moment.peak_at)), low: value, high: value }];
    });
  }

  #more(rows: readonly (OwnRow | null)[]): Course['more'] {
    if (this.what.metric !== 'viewers') return [];
    return [{ name: 'peak_viewers', values: column(rows, (row) => row.peak_viewers) }];
  }

  #channelMore(rows: readonly (WindowRow | ChannelWindow | null)[]): Course['more'] {
    return (['min', 'max'] as const).map((name) => ({
      name,
      values: column(rows, (row) => ('mean' in row ? row[name] : null)),
    }));
  }

  // -- another time or stream --

  #followCompared(): (() => void) | undefined {
    const { compare, span } = this.shown();
    const { step } = this.course;
    if (!compare || this.gifts || this.loading) {
      this.#compared = null;
      return;
    }
    const shift = 'offset' in compare ? compare.ms : 0;
    const timer = setTimeout(() => void this.#readCompared(compare, span, step, shift), REST_MS);
    return () => clearTimeout(timer);
  }

  async #readCompared(compare: Compare, span: Span, step: number, shift: number): Promise<void> {
    const stream = 'stream' in compare ? compare.stream : this.what.stream;
    const channel = this.channel ? `/channel:${this.channel.name}` : '';
    const series = `${stream}${channel}/${this.style.column}`;
    const resolution = Object.entries(STEPS).find(([, one]) => one === step)?.[0] ?? '1m';
    const range = { start: span.from - shift - step, end: span.to - shift };
    try {
      const found = await chartApi.compare(series, resolution as ResolutionName, range);
      const values = found.data[0]?.values ?? [];
      const at = new Map(found.times.map((time, k) => [Date.parse(time), values[k] ?? null]));
      this.#compared = { shift, step, at };
    } catch (error) {
      // The chart is whole without it; what cannot be compared with is said where it was chosen.
      if (!isAbort(error)) this.#compared = null;
    }
  }
}
