import { describe, expect, it } from 'vitest';
import { slotLeft, slotUnder, traceScale } from '../src/charts/trace-scale';
import { bytes } from '../src/lib/bytes';
import { Courses, EVERY_MS, LEAST_SHOWN, LENGTH } from '../src/lib/courses';
import { ClockOffset, Delays } from '../src/lib/delays';
import { judgePath, lagLimit, type Figures } from '../src/lib/path';
import {
  growth,
  isSameProcess,
  quantile,
  ratePerSecond,
  readScrape,
  SAMPLES_MAX,
  total,
} from '../src/lib/prometheus';
import { findGone, findTroubles, PARTS } from '../src/lib/troubles';
import type { Health } from '../src/lib/types';

const PROCESS = 'process_start_time_seconds 17\n';
const scrape = (body: string, at = 1000) => readScrape(PROCESS + body, at);

describe('metrics', () => {
  it('are read with labels, exponents and infinity, and comments are not', () => {
    const read = readScrape(
      '# HELP a_total Of a.\n# TYPE a_total counter\n' +
        'a_total{route="/x,{y}",why="a \\"b\\"\\n\\\\"} 1.5e+03\nb 2 1700000000\nc +Inf\n',
      5,
    );
    expect(read.series.get('a_total')).toEqual([
      { labels: { route: '/x,{y}', why: 'a "b"\n\\' }, value: 1500 },
    ]);
    expect([total(read, 'b'), total(read, 'c'), total(read, 'd')]).toEqual([2, Infinity, null]);
    expect([...read.series.keys()]).toEqual(['a_total', 'b', 'c']);
  });

  it('that are garbage are left out, and not taken for zero', () => {
    const read = readScrape('<html>\n\na_total\na_total x\n{} 4\nb NaN\na_total 3\r\nz 1', 5);
    expect([total(read, 'a_total'), total(read, 'b'), total(read, 'z')]).toEqual([3, null, 1]);
  });

  it('are bounded', () => {
    const lines = Array.from({ length: SAMPLES_MAX + 5 }, (_, n) => `a{n="${n}"} 1`);
    expect(total(readScrape(lines.join('\n'), 0), 'a')).toBe(SAMPLES_MAX);
  });

  it('become rates between two looks at one process', () => {
    const before = scrape('a_total{s="1"} 10\na_total{s="2"} 5');
    const after = scrape('a_total{s="1"} 30\na_total{s="2"} 5\na_total{s="3"} 5', 3000);
    expect(ratePerSecond(before, after, 'a_total')).toBe(12.5);
    expect(growth(before, after, 'a_total', ({ s }) => s === '1')).toBe(20);
    expect(growth(before, after, 'b_total')).toBeNull();
  });

  it('that went down, or are of another process, tell nothing', () => {
    const before = scrape('a_total 10');
    expect(growth(before, scrape('a_total 9', 2000), 'a_total')).toBeNull();
    const other = readScrape('process_start_time_seconds 18\na_total 20', 2000);
    expect([isSameProcess(before, other), growth(before, other, 'a_total')]).toEqual([false, null]);
    expect(isSameProcess(before, before)).toBe(false);
  });
});

describe('quantiles', () => {
  const buckets = (counts: number[], at: number) =>
    scrape(
      ['0.1', '0.5', '1', '+Inf'].map((le, k) => `d_bucket{le="${le}"} ${counts[k]}`).join('\n'),
      at,
    );

  it('are of what came between two looks, straight within a bucket', () => {
    const before = buckets([100, 100, 100, 100], 1000);
    const after = buckets([100, 110, 120, 120], 2000);
    expect(quantile(before, after, 'd', 0.5)).toBeCloseTo(0.5);
    expect(quantile(before, after, 'd', 0.25)).toBeCloseTo(0.3);
    expect(quantile(before, after, 'd', 0.75)).toBeCloseTo(0.75);
  });

  it('end at the last bound, and are none without observations', () => {
    const before = buckets([0, 0, 0, 0], 1000);
    expect(quantile(before, buckets([0, 0, 1, 10], 2000), 'd', 0.99)).toBe(1);
    expect(quantile(before, buckets([0, 0, 0, 0], 2000), 'd', 0.5)).toBeNull();
  });
});

describe('delays', () => {
  it('take the clock from the shortest round trip', () => {
    const offset = new ClockOffset();
    expect(offset.ahead).toBeNull();
    offset.learn(1000, 6300, 1400);
    offset.learn(2000, 7010, 2020);
    offset.learn(3000, NaN, 3001);
    // 5000 ahead, give or take the half of 20: that much is sure.
    expect(offset.ahead).toBe(4990);
    for (let k = 0; k < 20; k++) offset.learn(k, k + 95, k + 100);
    expect(offset.ahead).toBe(0);
    for (let k = 0; k < 20; k++) offset.learn(k, k - 950, k + 100);
    expect(offset.ahead).toBe(-950);
  });

  it('are told of the last minute, once there are some', () => {
    const delays = new Delays();
    delays.note(0, 900);
    delays.note(61_000, 10);
    delays.note(61_000, 30);
    expect(delays.summary(61_000)).toBeNull();
    delays.note(61_000, -5);
    expect(delays.summary(61_000)).toEqual({ p50: 10, p99: 30, frames: 3 });
    for (let k = 0; k < 1000; k++) delays.note(61_000, k);
    expect(delays.summary(61_000)?.frames).toBe(256);
  });
});

describe('courses', () => {
  it('keep 15 minutes, with holes where nobody looked', () => {
    const courses = new Courses(['a', 'b']);
    courses.note(0, { a: 1, b: null });
    courses.note(10_000, { a: 3 });
    expect([...courses.newest('a', 3)]).toEqual([1, NaN, 3]);
    expect([courses.latest('a'), courses.latest('b')]).toEqual([3, null]);
    expect(courses.shownSlots(['a'])).toBe(LEAST_SHOWN);
    for (let slot = 3; slot < 400; slot++) courses.note(slot * EVERY_MS, { a: slot });
    expect(courses.shownSlots(['a', 'b'])).toBe(LENGTH);
    expect(courses.values('a')).toHaveLength(LENGTH);
    expect(courses.usual('a')).toBeCloseTo(309);
    expect(courses.usual('b')).toBeNull();
  });
});

describe('troubles', () => {
  const part = (status: string) => ({ status, detail: `is ${status}` });
  const health = (more: Record<string, unknown>) =>
    ({
      ...Object.fromEntries(PARTS.map((name) => [name, part('ok')])),
      ...more,
    }) as unknown as Health;

  it('keep when they were first seen, and say whether they were seen to begin', () => {
    const first = findTroubles([], health({ flow: part('degraded') }), 5, true);
    expect(first).toEqual([
      { part: 'flow', status: 'degraded', detail: 'is degraded', since: 5, seenToBegin: false },
    ]);
    const second = findTroubles(
      first,
      health({ flow: part('error'), database: part('error') }),
      9,
      false,
    );
    expect(second.map(({ part, since, seenToBegin }) => [part, since, seenToBegin])).toEqual([
      ['database', 9, true],
      ['flow', 5, false],
    ]);
    expect(findTroubles(second, health({}), 12, false)).toEqual([]);
  });

  it('name processes that were there and are no more, once, and no other API', () => {
    const named = (...names: string[]) => names.map((name) => ({ name }));
    const before = named('flow 0', 'archive', 'api 7', 'flow 0', 'alerts');
    expect(findGone(before, named('api 8', 'archive'))).toEqual(named('flow 0', 'alerts'));
    expect(findGone(named('flow 0'), named('flow 0'))).toEqual([]);
  });

  it('show on the path where they are, with what is further from usual than it may be', () => {
    const now = (more: Partial<Figures>): Figures => ({
      health: { ...health({}), flow: { ...part('ok'), lag_ms: 900, lag_usual_ms: 200 } } as Health,
      p99: 10,
      filled: 0.1,
      commit: 20,
      dropped: 0,
      refused: 0,
      screen: 300,
      ...more,
    });
    expect(Object.values(judgePath(now({})))).toEqual(Array(7).fill('well'));
    const strained = judgePath(
      now({ p99: 501, filled: 0.6, commit: 1001, dropped: 1, refused: 2, screen: 2001 }),
    );
    expect(Object.entries(strained).filter(([, state]) => state !== 'strained')).toEqual([
      ['flow', 'well'],
    ]);
    const late = { ...part('ok'), lag_ms: 1001, lag_usual_ms: 200 };
    const down = judgePath(
      now({ health: health({ flow: late, database: part('error'), redis: part('error') }) }),
    );
    expect([down.flow, down.database, down.bus, down.push]).toEqual([
      'strained',
      'down',
      'down',
      'down',
    ]);
    expect(judgePath(now({ health: null, p99: null, screen: null }))).toMatchObject({
      api: 'unknown',
      flow: 'unknown',
      screen: 'unknown',
    });
    expect([lagLimit(null), lagLimit(100), lagLimit(800)]).toEqual([null, 1000, 2400]);
  });
});

describe('traces', () => {
  const line = (...values: number[]) => [
    { values: Float32Array.from(values), ink: 'text' as const },
  ];

  it('hold the limit when it is near, and name it at the edge when it is far', () => {
    expect(traceScale(line(10, 20), null, 40)).toEqual({ top: expect.closeTo(44), shows: true });
    expect(traceScale(line(10, 20), 30, 10_000)).toEqual({ top: expect.closeTo(33), shows: false });
    expect(traceScale(line(NaN), null, 5)).toEqual({ top: 1, shows: false });
  });

  it('find the slot under the pointer again', () => {
    for (const slot of [0, 17, 35]) expect(slotUnder(slotLeft(slot, 36, 400), 36, 400)).toBe(slot);
    expect([slotUnder(-9, 36, 400), slotUnder(999, 36, 400)]).toEqual([0, 35]);
  });
});

describe('sizes', () => {
  it('have three digits and one unit', () => {
    expect([0, 999, 1500, 48_500, 2_147_483_648, null].map(bytes)).toEqual([
      '0\u202fB',
      '999\u202fB',
      '1.50\u202fkB',
      '48.5\u202fkB',
      '2.15\u202fGB',
      '–',
    ]);
  });
});
