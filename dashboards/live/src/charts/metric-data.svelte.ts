/* The data of one chart, wherever it stands: taken from the feeds that all charts share, read in
   minutes or in wider windows as its span asks for, and put into the one form that is drawn, listed
   and exported. Made while a component is set up, and let go with it. */
import type { ChannelWindow, WindowRow } from '../lib/api-stream';
import { readMinutes, regionsFor, type ChartRegion, type Column } from '../lib/columns';
import type { Compare } from '../lib/compare';
import {
  envelopeOf,
  MINUTES_SPAN_MAX,
  placeRows,
  stepGrid,
  type Course,
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
import { Compared } from './compared.svelte';
import { METRICS, type ChartOf } from './metrics';
import { column, edgesOf, moreOf, peaksOf, startOf, valueOf } from './rows';

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

export class MetricData {
  readonly page: StreamPage;
  readonly channel: ChannelFeed | null = null;
  readonly gifts: TransactionFeed | null = null;
  problem = $state.raw<Problem | null>(null);
  /** True until something is known of the span. */
  loading = $state(true);

  #wide = $state.raw<Wide<WindowRow | ChannelWindow> | null>(null);
  #compared = new Compared();

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
  readonly compare: Column | null = $derived.by(() =>
    this.shown().compare ? this.#compared.onto(this.course) : null,
  );
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
    return {
      ...this.#nothing(span),
      grid,
      openFrom,
      values: column(rows, (row) => valueOf(what.metric, row)),
      band: what.metric === 'chat' ? page.baselines.band(grid) : null,
      more: moreOf(what.metric, rows),
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
      more: moreOf('channel', rows),
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
    const { metric } = this.what;
    const rows = placeRows(wide.rows, grid, step);
    const values = column(rows, (row) => valueOf(metric, row));
    const newest = this.#minute;
    const open = grid.findIndex((start, k) => start + step > newest && values[k] !== null);
    const edges = [...wide.extremes, ...wide.rows].map((row) => edgesOf(metric, row));
    return {
      ...this.#nothing(span, step),
      grid,
      values,
      openFrom: open < 0 ? grid.length : open,
      envelope: envelopeOf([...edges, ...peaksOf(metric, this.page.moments)], span),
      more: moreOf(metric, rows),
      known: [span],
    };
  }

  #followCompared(): (() => void) | undefined {
    const { compare, span } = this.shown();
    const { step } = this.course;
    if (!compare || this.gifts || this.loading) {
      this.#compared.forget();
      return;
    }
    const of = {
      stream: this.what.stream,
      channel: this.channel?.name ?? null,
      column: this.style.column,
    };
    const timer = setTimeout(() => void this.#compared.read(compare, of, span, step), REST_MS);
    return () => clearTimeout(timer);
  }
}
