/* What a chart says: its title, the values at the cursor, one sentence for ears, and the key that
   is drawn into a picture of it. */
import { extremes, type Column } from '../lib/columns';
import type { Compare } from '../lib/compare';
import { age, clock as clockTime, clockOn, date, duration, MINUTE, plainName, span as spanOf } from '../lib/format';
import type { Span } from '../lib/minutes';
import { clock } from '../lib/store/clock.svelte';
import { chartText } from '../lib/text-stream';
import type { MetricData } from './metric-data.svelte';
import { KIND_COLOURS } from './metrics';
import type { CursorGroup } from './cursor.svelte';
import type { TokenName } from './palette';
import type { Picture, PictureKey } from './png';

const DAY = 1440 * MINUTE;
const t = chartText;

interface Around {
  group(): CursorGroup;
  title(): string | undefined;
  colour(): TokenName | undefined;
  compare(): Compare | null;
  span(): Span;
}

export interface WordKey {
  label: string;
  value: string;
  kind: 'line' | 'dot' | 'box' | 'band' | 'plain';
  colour: TokenName;
}

export class MetricWords {
  readonly title: string = $derived.by(
    () =>
      this.around.title() ??
      (this.data.what.channel ? plainName(this.data.what.channel) : this.data.style.title),
  );
  readonly unit: string = $derived.by(() => this.data.channel?.unit ?? this.data.style.unit);

  /** The window the header speaks of: under the cursor, else the newest that is known. */
  readonly at: number = $derived.by(() => {
    const { grid, values, step } = this.data.course;
    const { time } = this.around.group();
    if (time !== null) return Math.round((time - (grid[0] ?? 0)) / step);
    return values.findLastIndex((value) => value !== null);
  });
  readonly time: number | undefined = $derived.by(() => this.data.course.grid[this.at]);
  readonly when: string = $derived.by(() => {
    if (this.time === undefined) return '';
    const { step, openFrom } = this.data.course;
    const at = step >= DAY ? date(this.time) : clockOn(this.time, this.around.span().to - 1);
    if (this.at < openFrom) return at;
    return `${at}, ${step > MINUTE ? t.openWindow : t.openMinute}`;
  });
  readonly figure: string = $derived.by(() => this.#value(this.data.course.values));

  readonly keys: WordKey[] = $derived.by(() => {
    const { style, course, compare } = this.data;
    const own = this.around.colour() ?? style.shape.colour;
    const keys: WordKey[] = [];
    if (style.shape.kind === 'bars')
      keys.push(
        { label: t.positive, value: '', kind: 'box', colour: own },
        { label: t.negative, value: '', kind: 'box', colour: style.shape.colourBelow ?? own },
      );
    if (style.shape.kind === 'stack') keys.push(...this.#partKeys());
    else {
      const kind = style.shape.kind === 'bars' ? 'plain' : 'line';
      keys.push({ label: style.name, value: this.figure, kind, colour: own });
    }
    const expected = course.band && this.#range(course.band.low, course.band.high);
    if (expected)
      keys.push({ label: t.expected, value: expected, kind: 'band', colour: 'text-3' });
    const other = this.#compareName();
    if (compare && other)
      keys.push({ label: other, value: this.#value(compare), kind: 'dot', colour: 'text-2' });
    return keys;
  });
  readonly warming: string = $derived.by(() =>
    this.data.warming && this.data.course.values.some((value) => value !== null)
      ? t.warming(this.data.warming)
      : '',
  );
  /** Of a value that is no longer renewed. */
  readonly old: string = $derived.by(() => {
    const { channel, stale } = this.data;
    if (!channel || !stale || channel.lastAt === null) return '';
    return t.lastValue(this.data.style.write(channel.lastValue ?? 0), age(channel.lastAt, clock.now));
  });
  readonly nothing: string = $derived.by(() =>
    this.data.gifts ? t.noTransactions : t.noDataHere,
  );

  readonly summary: string = $derived.by(() => {
    const ends = extremes(this.data.course.values);
    const { write } = this.data.style;
    return ends
      ? t.summary(
          this.title,
          write(ends.last),
          write(ends.least),
          write(ends.most),
          this.data.regions.length,
        )
      : t.summaryEmpty(this.title);
  });
  readonly reading: string = $derived.by(() =>
    this.time === undefined
      ? t.noData
      : [this.when, ...this.keys.filter((key) => key.value).map((key) => `${key.label} ${key.value}`)].join(', '),
  );

  constructor(
    private readonly data: MetricData,
    private readonly around: Around,
  ) {}

  get picture(): Picture {
    const { from, to } = this.around.span();
    const isDays = Math.floor(from / DAY) !== Math.floor((to - 1) / DAY);
    const write = (at: number): string =>
      isDays ? `${date(at)} ${clockTime(at)}` : clockTime(at);
    const range = `${write(from)} – ${write(to)}${isDays ? '' : `, ${date(from)}`} UTC`;
    const keys = this.keys.flatMap(({ label, kind, colour }): PictureKey[] =>
      kind === 'plain' ? [] : [{ label, colour, kind: kind === 'band' ? 'box' : kind }],
    );
    return {
      title: `${this.data.what.stream} · ${this.title}${this.unit ? `, ${this.unit}` : ''}`,
      subtitle: `${range} · ${duration(this.data.course.step)}`,
      keys,
    };
  }

  #partKeys(): WordKey[] {
    return this.data.course.parts.map(({ name, values }) => ({
      label: t.kinds[name] ?? name,
      value: this.#value(values),
      kind: 'box',
      colour: KIND_COLOURS[name] ?? 'series-8',
    }));
  }

  #value(values: Column): string {
    const found = values[this.at];
    return found == null ? t.noData : this.data.style.write(found);
  }

  #range(low: Column, high: Column): string {
    const [from, to] = [low[this.at], high[this.at]];
    if (from == null || to == null) return '';
    return spanOf(this.data.style.write(from), this.data.style.write(to));
  }

  #compareName(): string {
    const compare = this.around.compare();
    if (!compare) return '';
    return 'offset' in compare ? t.offsets[compare.offset] : compare.stream;
  }
}
