import { describe, expect, it } from 'vitest';
import { spanAround } from '../src/charts/gestures';
import { timeTicks } from '../src/charts/ticks';
import { Baselines, BASELINE_LEAST } from '../src/lib/baseline';
import { readCompare, writeCompare } from '../src/lib/compare';
import { envelopeOf, extentOf, placeRows, stack, stepGrid, type Course } from '../src/lib/course';
import { fileName, sheetOf, writeCsv } from '../src/lib/export';
import { limitsOf } from '../src/lib/limits';
import { MinuteSeries } from '../src/lib/minutes';
import { isNewer } from '../src/lib/queue';
import { placeRange, scaleRange, spanOf } from '../src/lib/range';
import { addSpan, missingIn, within } from '../src/lib/spans';
import type { MinuteRow } from '../src/lib/types';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOON = Date.UTC(2026, 0, 26, 12);
const iso = (time: number): string => new Date(time).toISOString();

const minute = (k: number, chat_count: number, more: Partial<MinuteRow> = {}): MinuteRow => ({
  stream_id: 'a',
  window_start: iso(NOON + k * MINUTE),
  window_end: iso(NOON + (k + 1) * MINUTE),
  chat_count,
  unique_chatters: 9,
  top_emotes: [],
  avg_sentiment: 0,
  chat_rate: chat_count / 60,
  avg_viewers: null,
  peak_viewers: null,
  z_score: null,
  is_anomaly: false,
  revision: 1,
  final: true,
  ...more,
});
const course = (more: Partial<Course>): Course => ({
  grid: [NOON, NOON + MINUTE],
  step: MINUTE,
  values: [1, null],
  openFrom: 2,
  envelope: null,
  band: null,
  parts: [],
  more: [],
  known: [],
  ...more,
});

describe('an envelope', () => {
  it('goes through the highest and the lowest of each slice, where they were', () => {
    const rows = [5, 1, 9, 3].map((value, k) => ({ at: NOON + k * MINUTE, low: value, high: value }));
    const [run, ...others] = envelopeOf(rows, { from: NOON, to: NOON + HOUR }, 2 * MINUTE);
    expect(others).toEqual([]);
    expect(run?.upper).toEqual([
      { at: NOON, value: 5 },
      { at: NOON + 2 * MINUTE, value: 9 },
    ]);
    expect(run?.lower).toEqual([
      { at: NOON + MINUTE, value: 1 },
      { at: NOON + 3 * MINUTE, value: 3 },
    ]);
  });

  it('breaks at a gap and leaves out what lies beside the span', () => {
    const at = [-1, 0, 1, 5].map((k) => NOON + k * MINUTE);
    const rows = at.map((time) => ({ at: time, low: 0, high: 1 }));
    const runs = envelopeOf(rows, { from: NOON, to: NOON + HOUR }, MINUTE);
    expect(runs.map((run) => run.upper.length)).toEqual([2, 1]);
  });

  it('makes room for what sticks out of the line', () => {
    const envelope = [{ upper: [{ at: NOON, value: 40 }], lower: [{ at: NOON, value: -2 }] }];
    expect(extentOf(course({ envelope }), [[7]])).toEqual([-2, 40]);
    expect(extentOf(course({ values: [null, null] }))).toBeNull();
  });
});

describe('windows', () => {
  it('begin at whole multiples, the one that reaches into the span first', () => {
    expect(stepGrid({ from: NOON + MINUTE, to: NOON + 2 * HOUR }, HOUR)).toEqual([
      NOON,
      NOON + HOUR,
    ]);
    const rows = [minute(60, 1), minute(0, 2), minute(900, 3)];
    expect(placeRows(rows, [NOON, NOON + HOUR], HOUR)).toEqual([rows[1], rows[0]]);
  });

  it('are stacked on one another, and a part that is nothing is no bar', () => {
    const parts = [
      { name: 'a', values: [1, 0, null] },
      { name: 'b', values: [2, 5, null] },
    ];
    expect(stack(parts, 3)).toEqual([
      [1, null, null],
      [3, 5, null],
    ]);
  });
});

describe('the expected band', () => {
  const seriesOf = (rows: MinuteRow[]): Baselines => {
    const series = new MinuteSeries<MinuteRow>(isNewer);
    series.add(rows);
    return new Baselines(series);
  };
  const flat = Array.from({ length: BASELINE_LEAST }, (_, k) => minute(k - BASELINE_LEAST, 100));

  it('is four times the spread of chance around a level hour', () => {
    // The root of 100 is 10.
    expect(seriesOf(flat).band([NOON])).toEqual({ low: [1], high: [140 / 60], middle: [100 / 60] });
  });

  it('needs ten minutes, and says how many are missing', () => {
    const baselines = seriesOf(flat.slice(1));
    expect(baselines.band([NOON]).low).toEqual([null]);
    expect(baselines.missing(NOON)).toBe(1);
    expect(seriesOf(flat).missing(NOON)).toBe(0);
  });

  it('leaves out what was unusual, and never the minute it judges', () => {
    const loud = minute(-30, 9000, { is_anomaly: true });
    const judged = minute(0, 9000);
    expect(seriesOf([...flat, loud, judged]).band([NOON]).high).toEqual([140 / 60]);
    // Were it all that is known, it would be what is usual.
    const all = flat.map((row) => ({ ...row, is_anomaly: true }));
    expect(seriesOf(all).band([NOON]).high).toEqual([140 / 60]);
  });

  it('is measured anew after a minute of its hour was revised', () => {
    const series = new MinuteSeries<MinuteRow>(isNewer);
    series.add(flat);
    const baselines = new Baselines(series);
    baselines.band([NOON]);
    series.add(flat.map((row) => ({ ...row, chat_count: 400, revision: 2 })));
    baselines.forget(NOON - BASELINE_LEAST * MINUTE);
    expect(baselines.band([NOON]).middle).toEqual([400 / 60]);
  });
});

describe('known spans', () => {
  const span = (from: number, to: number) => ({ from, to });

  it('melt with what they touch', () => {
    expect(addSpan([span(0, 2), span(6, 8)], span(2, 4))).toEqual([span(0, 4), span(6, 8)]);
    expect(addSpan([span(0, 2), span(6, 8)], span(1, 7))).toEqual([span(0, 8)]);
  });

  it('say what of a span is missing, and what is not', () => {
    const known = [span(2, 4), span(6, Infinity)];
    expect(missingIn(known, span(0, 9))).toEqual([span(0, 2), span(4, 6)]);
    expect(missingIn(known, span(7, 9))).toEqual([]);
    expect(within(known, span(3, 7))).toEqual([span(3, 4), span(6, 7)]);
  });
});

describe('zoom', () => {
  const range = { live: false, ms: 2 * HOUR, to: NOON };

  it('keeps what lies under the pointer where it is', () => {
    const at = NOON - 30 * MINUTE;
    const next = spanOf(scaleRange(range, 0.5, at, NOON), NOON);
    expect((at - next.from) / (next.to - next.from)).toBe(0.75);
    expect(next.to - next.from).toBe(HOUR);
    expect(spanAround(NOON, 0.25, HOUR)).toEqual({
      from: NOON - 15 * MINUTE,
      to: NOON + 45 * MINUTE,
    });
  });

  it('follows on from one range to the next while live', () => {
    const live = { live: true, ms: 2 * HOUR, to: null };
    expect(scaleRange(live, 2, null, NOON)).toEqual({ live: true, ms: 12 * HOUR, to: null });
    expect(scaleRange(live, 0.5, null, NOON).ms).toBe(30 * MINUTE);
  });

  it('ends at five minutes, at a year, and at the open minute', () => {
    expect(placeRange(NOON - HOUR, MINUTE, NOON).ms).toBe(5 * MINUTE);
    expect(placeRange(NOON - 900 * DAY, 900 * DAY, NOON).ms).toBe(366 * DAY);
    expect(placeRange(NOON, HOUR, NOON).to).toBe(NOON + MINUTE);
  });
});

describe('ticks of wide ranges', () => {
  it('are Mondays, and first days of months', () => {
    const weeks = timeTicks(NOON - 60 * DAY, NOON, 900);
    expect(weeks.map((at) => new Date(at).getUTCDay())).toEqual(weeks.map(() => 1));
    const months = timeTicks(NOON - 365 * DAY, NOON, 900);
    expect(months.length).toBeGreaterThan(4);
    expect(months.length).toBeLessThan(13);
    for (const at of months) expect(new Date(at).getUTCDate()).toBe(1);
  });
});

describe('an address', () => {
  it('names an offset or a stream, also one that is called like an offset', () => {
    for (const compare of [{ offset: '1d', ms: DAY } as const, { stream: 'bench' }, { stream: '1d' }])
      expect(readCompare(writeCompare(compare))).toEqual(compare);
    expect(readCompare(null)).toBeNull();
  });
});

describe('a file', () => {
  it('has ISO times, full precision, and no row where nothing is known', () => {
    const sheet = sheetOf(course({ values: [0.1 + 0.2, null] }), 'chat_rate', null);
    expect(writeCsv(sheet)).toBe(
      'window_start,chat_rate\r\n2026-01-26T12:00:00Z,0.30000000000000004\r\n',
    );
  });

  it('has what is drawn beside the line', () => {
    const band = { low: [1, 1], high: [3, 3], middle: [2, 2] };
    const sheet = sheetOf(course({ band }), 'chat_rate', [null, 5]);
    expect(sheet.columns).toEqual([
      'window_start',
      'chat_rate',
      'expected_low',
      'expected_high',
      'compared',
    ]);
    expect(sheet.rows[1]).toEqual(['2026-01-26T12:01:00Z', null, 1, 3, 5]);
  });

  it('is called after what it holds, in letters that every system takes', () => {
    expect(fileName('a/b', 'chat', NOON, 'csv')).toBe('a_b-chat-2026-01-26T1200.csv');
  });
});

describe('limits', () => {
  it('are read from metadata, and what is no number is none', () => {
    const metadata = { limits: { fps: { low: 58.6, high: 'many' } } };
    expect(limitsOf(metadata, 'fps')).toEqual([{ side: 'low', value: 58.6 }]);
    for (const none of [null, 7, { limits: [] }, { limits: { fps: null } }])
      expect(limitsOf(none, 'fps')).toEqual([]);
  });
});
