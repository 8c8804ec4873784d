import { describe, expect, it } from 'vitest';
import { ClockOffset, Delays } from '../src/lib/delays';
import {
  growth,
  isSameProcess,
  quantile,
  ratePerSecond,
  readScrape,
  SAMPLES_MAX,
  total,
} from '../src/lib/prometheus';

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
    expect(offset.ahead).toBe(5000);
    for (let k = 0; k < 20; k++) offset.learn(k, k + 55, k + 100);
    expect(offset.ahead).toBe(5);
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
