import { describe, expect, it } from 'vitest';
import { placeLabels } from '../src/charts/lane';
import {
  countRange,
  measuredRange,
  numberTicks,
  sentimentRange,
  timeTicks,
} from '../src/charts/ticks';
import { backoff } from '../src/lib/backoff';
import { chartOf, describeMoment } from '../src/lib/moment';
import { staleAfter, streamState } from '../src/lib/state';
import type { Moment } from '../src/lib/types';
import {
  compareRows,
  matches,
  nextSort,
  readFilter,
  readSort,
  writeSort,
  type RowFacts,
} from '../src/views/overview/table';

const MINUTE = 60_000;
const row = (more: Partial<RowFacts>): RowFacts => ({
  id: 'a',
  title: null,
  kind: null,
  state: 'live',
  rate: null,
  change: null,
  viewers: null,
  sentiment: null,
  z: null,
  moment: null,
  last: null,
  ...more,
});

describe('back-off', () => {
  it('doubles from one second to fifteen and never leaves that range', () => {
    expect([0, 1, 2, 3, 4, 5, 50].map((attempt) => backoff(attempt, 1))).toEqual([
      1000, 2000, 4000, 8000, 15_000, 15_000, 15_000,
    ]);
    expect(backoff(0, 0)).toBe(1000);
    expect(backoff(5, 0)).toBe(7500);
  });
});

describe('state of a stream', () => {
  it('turns stale after three of its own intervals, at least ten seconds', () => {
    expect([staleAfter(100), staleAfter(0.1), staleAfter(0.0001), staleAfter(null)]).toEqual([
      10_000, 30_000, 900_000, 90_000,
    ]);
    expect(streamState(true, 0, 100, 10_000)).toBe('live');
    expect(streamState(true, 0, 100, 10_001)).toBe('stale');
    expect(streamState(false, 0, 100, 1)).toBe('gone');
    expect(streamState(true, null, null, 1)).toBe('live');
  });
});

describe('ticks', () => {
  it('stand on round numbers', () => {
    expect(numberTicks(0, 620, 5)).toEqual([0, 100, 200, 300, 400, 500, 600]);
    expect(numberTicks(-0.6, 0.6, 3)).toEqual([-0.5, 0, 0.5]);
    expect(numberTicks(3, 3, 5)).toEqual([]);
  });

  it('stand on round times', () => {
    expect(timeTicks(MINUTE, 120 * MINUTE, 900).map((at) => at / MINUTE)).toEqual([
      15, 30, 45, 60, 75, 90, 105, 120,
    ]);
  });

  it('leave air above counts and around measured values', () => {
    expect(countRange(100)[1]).toBeCloseTo(110);
    expect(countRange(null)).toEqual([0, 1]);
    expect(measuredRange(10, 20)).toEqual([9.2, 20.8]);
    expect(measuredRange(5, 5)).toEqual([4.9, 5.1]);
    expect(sentimentRange(-0.1, 0.4)).toEqual([-0.6, 0.6]);
    expect(sentimentRange(-0.9, 0)).toEqual([-1.05, 1.05]);
  });
});

describe('labels over a chart', () => {
  it('give way to the stronger: shrink first, then leave', () => {
    const item = (id: string, from: number, score: number) => ({
      id,
      from,
      to: from + 4,
      score,
      length: 14,
    });
    const places = placeLabels(
      [item('weak', 100, 1), item('strong', 150, 4), item('hidden', 152, 2)],
      600,
    );
    expect(places.map(({ id, compact }) => [id, compact])).toEqual([
      ['strong', false],
      ['weak', true],
    ]);
  });

  it('stay inside', () => {
    const [place] = placeLabels([{ id: 'edge', from: 595, to: 600, score: 2, length: 14 }], 600);
    expect(place!.left + place!.width).toBeLessThanOrEqual(600);
  });
});

describe('rows', () => {
  it('put what is missing last, whichever way they are sorted', () => {
    const rows = [row({ id: 'x' }), row({ id: 'y', rate: 1 }), row({ id: 'z', rate: 2 })];
    const order = (up: boolean) =>
      [...rows].sort(compareRows({ key: 'rate', up })).map(({ id }) => id);
    expect(order(false)).toEqual(['z', 'y', 'x']);
    expect(order(true)).toEqual(['y', 'z', 'x']);
  });

  it('order by moment, then by pace, and z-scores by size', () => {
    const rows = [
      row({ id: 'a', rate: 1, z: 1 }),
      row({ id: 'b', rate: 9, z: -4 }),
      row({ id: 'c', moment: 1.2, z: 2 }),
    ];
    const order = (key: 'moment' | 'z') =>
      [...rows].sort(compareRows({ key, up: false })).map(({ id }) => id);
    expect(order('moment')).toEqual(['c', 'b', 'a']);
    expect(order('z')).toEqual(['b', 'c', 'a']);
  });

  it('match every word in name, title or kind', () => {
    const filter = (query: string) => readFilter(new URLSearchParams(query));
    const one = row({ id: 'bench-07', title: 'Battery soak', kind: 'bench', state: 'stale' });
    expect(matches(one, filter('q=soak+BENCH'))).toBe(true);
    expect(matches(one, filter('q=soak+twitch'))).toBe(false);
    expect(matches(one, filter('state=stale'))).toBe(true);
    expect(matches(one, filter('state=live'))).toBe(false);
    expect(matches(one, filter('state=moments'))).toBe(false);
    expect(matches(row({ moment: 2 }), filter('state=moments'))).toBe(true);
    expect(matches(one, filter('state=silent'))).toBe(false);
    expect(matches(one, filter('kind=sim'))).toBe(false);
  });

  it('keep the order in the address, and none when it is the usual one', () => {
    expect(readSort(new URLSearchParams('sort=rate.up'))).toEqual({ key: 'rate', up: true });
    expect(readSort(new URLSearchParams('sort=nonsense'))).toEqual({ key: 'moment', up: false });
    expect(writeSort({ key: 'moment', up: false })).toBeNull();
    expect(nextSort({ key: 'rate', up: false }, 'rate')).toEqual({ key: 'rate', up: true });
    expect(nextSort({ key: 'rate', up: false }, 'name')).toEqual({ key: 'name', up: true });
  });
});

describe('moments', () => {
  const moment = (more: Partial<Moment>) =>
    ({
      moment_type: 'chat_spike',
      metric_name: 'chat_rate',
      metric_value: 612,
      expected: 150,
      description: 'Sentence.',
      reasons: [],
      ...more,
    }) as Moment;

  it('belong to the chart of their metric', () => {
    expect(chartOf(moment({}))).toBe('chat');
    expect(chartOf(moment({ metric_name: 'avg_viewers', moment_type: 'viewer_drop' }))).toBe(
      'viewers',
    );
    expect(chartOf(moment({ metric_name: 'avg_sentiment', moment_type: 'sentiment_shift' }))).toBe(
      'sentiment',
    );
    expect(chartOf(moment({ metric_name: 'cell_3_temp', moment_type: 'reading_anomaly' }))).toBe(
      'channel',
    );
  });

  it('say how much against what, in the unit of their metric', () => {
    expect(describeMoment(moment({}))).toBe('612/s, expected 150/s');
    expect(
      describeMoment(moment({ metric_name: 'avg_sentiment', metric_value: -0.58, expected: 0.18 })),
    ).toBe('−0.58, expected +0.18');
    expect(
      describeMoment(moment({ metric_name: 'chat_count', metric_value: 600, expected: 120 })),
    ).toBe('10/s, expected 2/s');
  });
});
