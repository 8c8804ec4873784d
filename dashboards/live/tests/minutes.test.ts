import { describe, expect, it } from 'vitest';
import { extremes, lineColumns, readMinutes, regionsFor, signColumns } from '../src/lib/columns';
import { carryOver, findGaps, minuteGrid, MinuteSeries, MINUTES_MAX } from '../src/lib/minutes';
import { isNewer, LiveQueue, QUEUE_MAX } from '../src/lib/queue';
import { readRange, shiftRange, spanOf, writeRange, zoomRange } from '../src/lib/range';
import { Ring } from '../src/lib/ring';
import { rankEmotes, usualOf } from '../src/lib/stats';
import type { LiveMessage, MinuteRow, Moment } from '../src/lib/types';

const MINUTE = 60_000;
const NOON = Date.UTC(2026, 0, 26, 12);
const iso = (time: number): string => new Date(time).toISOString();

const minute = (k: number, more: Partial<MinuteRow> = {}): MinuteRow => ({
  stream_id: 'a',
  window_start: iso(NOON + k * MINUTE),
  window_end: iso(NOON + (k + 1) * MINUTE),
  chat_count: 60,
  unique_chatters: 9,
  top_emotes: [],
  avg_sentiment: 0,
  chat_rate: 1,
  avg_viewers: null,
  peak_viewers: null,
  z_score: null,
  is_anomaly: false,
  revision: 1,
  final: true,
  ...more,
});
const moment = (more: Partial<Moment>): Moment => ({
  moment_id: 'm',
  stream_id: 'a',
  timestamp: iso(NOON),
  started_at: iso(NOON),
  peak_at: iso(NOON),
  ended_at: null,
  moment_type: 'chat_spike',
  metric_name: 'chat_rate',
  metric_value: 6,
  expected: 2,
  threshold: 3,
  z_score: 4,
  score: 2,
  direction: 'up',
  state: 'open',
  shelved_until: null,
  label: null,
  version: 0,
  revision: 0,
  description: '',
  reasons: [],
  metadata: {},
  ...more,
});
const live = (type: 'metrics' | 'minute', data: MinuteRow): LiveMessage => ({
  type,
  seq: 0,
  timestamp: iso(NOON),
  stream_id: data.stream_id,
  data,
});

describe('minutes', () => {
  it('keep the newest version of each minute and leave holes where none is known', () => {
    const series = new MinuteSeries<MinuteRow>(isNewer);
    series.add([minute(0), minute(2, { revision: 2, chat_rate: 5 })]);
    expect(series.add([minute(2, { revision: 1, chat_rate: 4 })])).toBe(false);
    const { rows, grid } = readMinutes(series, { from: NOON, to: NOON + 3 * MINUTE });
    expect(rows.map((row) => row?.chat_rate ?? null)).toEqual([1, null, 5]);
    expect(findGaps(grid, rows, NOON, NOON + 3 * MINUTE)).toEqual([
      { from: NOON + MINUTE, to: NOON + 2 * MINUTE },
    ]);
  });

  it('never reopen, and take the last word on an open minute', () => {
    expect(isNewer(minute(0, { final: false, revision: 9 }), minute(0))).toBe(false);
    expect(isNewer(minute(0), minute(0, { final: false, revision: 9 }))).toBe(true);
    expect(
      isNewer(minute(0, { final: false, revision: 0 }), minute(0, { final: false, revision: 3 })),
    ).toBe(true);
  });

  it('count as open from the first of the last minutes that is not final', () => {
    const series = new MinuteSeries<MinuteRow>(isNewer);
    series.add([minute(0), minute(1), minute(2, { final: false }), minute(3, { final: false })]);
    expect(readMinutes(series, { from: NOON, to: NOON + 4 * MINUTE }).openFrom).toBe(2);
    expect(readMinutes(series, { from: NOON, to: NOON + 2 * MINUTE }).openFrom).toBe(2);
  });

  it('forget what is far from the view when there are too many', () => {
    const series = new MinuteSeries<MinuteRow>(isNewer);
    series.add(Array.from({ length: MINUTES_MAX + 10 }, (_, k) => minute(k)));
    const view = { from: NOON, to: NOON + 5 * MINUTE };
    expect(series.trim([view, { from: NOON + MINUTES_MAX * MINUTE, to: Infinity }])).toBe(true);
    expect(series.size).toBe(15);
    expect(series.bounds?.from).toBe(NOON);
  });

  it('make one grid, and gaps only between the two given times', () => {
    const grid = minuteGrid({ from: NOON, to: NOON + 4 * MINUTE });
    expect(findGaps(grid, [null, 1, null, null], NOON + MINUTE, NOON + 3 * MINUTE)).toEqual([
      { from: NOON + 2 * MINUTE, to: NOON + 3 * MINUTE },
    ]);
  });
});

describe('a minute that has only begun', () => {
  const before = minute(1, { avg_viewers: 500, z_score: 1.5 });
  const begun = minute(2, { final: false });

  it('shows the figures of the minute before until it has its own', () => {
    expect(carryOver(begun, before)).toMatchObject({ avg_viewers: 500, z_score: 1.5 });
    expect(carryOver({ ...begun, avg_viewers: 0 }, before).avg_viewers).toBe(0);
  });

  it('takes nothing from further back, and nothing once it is closed', () => {
    const older = minute(0, { avg_viewers: 500 });
    expect(carryOver(begun, older).avg_viewers).toBeNull();
    expect(carryOver({ ...begun, final: true }, before).avg_viewers).toBeNull();
  });
});

describe('columns', () => {
  it('split a line at the open minute and join the two', () => {
    expect(lineColumns([1, 2, 3], 2)).toEqual([
      [1, 2, null],
      [null, 2, 3],
    ]);
    expect(lineColumns([1, null, 3], 2)[1]).toEqual([null, null, 3]);
    expect(lineColumns([1, 2], 2)).toEqual([
      [1, 2],
      [null, null],
    ]);
  });

  it('split by sign, and find the ends', () => {
    expect(signColumns([0.2, -0.1, null])).toEqual([
      [0.2, null, null],
      [null, -0.1, null],
    ]);
    expect(extremes([null, 3, 1, null])).toEqual({ last: 1, least: 1, most: 3 });
    expect(extremes([null])).toBeNull();
  });

  it('tint a chart with its own moments, and with others only when critical or opened', () => {
    const span = { from: NOON - 10 * MINUTE, to: NOON + 10 * MINUTE };
    const chat = moment({});
    const viewers = moment({
      moment_id: 'v',
      moment_type: 'viewer_spike',
      metric_name: 'avg_viewers',
    });
    const ids = (opened: string | null, list: Moment[]): string[] =>
      regionsFor('chat', list, span, opened).map((one) => one.id);
    expect(ids(null, [chat, viewers])).toEqual(['m']);
    expect(ids('v', [chat, viewers])).toEqual(['m', 'v']);
    expect(
      ids(null, [
        moment({
          moment_id: 'v',
          moment_type: 'viewer_spike',
          metric_name: 'avg_viewers',
          score: 4,
        }),
      ]),
    ).toEqual(['v']);
    expect(
      ids(null, [
        moment({ started_at: iso(NOON - 30 * MINUTE), ended_at: iso(NOON - 20 * MINUTE) }),
      ]),
    ).toEqual([]);
  });
});

describe('queue', () => {
  it('keeps the newest of each minute, and hands over once', () => {
    const queue = new LiveQueue();
    queue.push(live('metrics', minute(0, { final: false, chat_rate: 1 })));
    queue.push(live('metrics', minute(0, { final: false, chat_rate: 2 })));
    queue.push(live('minute', minute(0, { chat_rate: 3 })));
    queue.push(live('metrics', minute(0, { final: false, chat_rate: 4 })));
    const batch = queue.drain();
    expect(batch.minutes.map((row) => row.chat_rate)).toEqual([3]);
    expect(batch.heard.get('a')).toBe(NOON);
    expect(queue.drain().minutes).toEqual([]);
  });

  it('lets everything go when it grows too long, and says so', () => {
    const queue = new LiveQueue();
    for (let k = 0; k <= QUEUE_MAX; k++) queue.push(live('minute', minute(k)));
    expect(queue.drain()).toMatchObject({ minutes: [], overflowed: true });
    expect(queue.drain().overflowed).toBe(false);
  });

  it('has nothing to show for a ping', () => {
    expect(new LiveQueue().push({ type: 'ping', seq: 0, timestamp: iso(NOON) })).toBe(false);
  });
});

describe('range', () => {
  const read = (query: string) => readRange(new URLSearchParams(query));

  it('survives the way through the address', () => {
    for (const range of [read(''), read('range=12h'), { live: false, ms: 30 * MINUTE, to: NOON }]) {
      const query = new URLSearchParams();
      for (const [key, value] of Object.entries(writeRange(range)))
        if (value) query.set(key, value);
      expect(readRange(query)).toEqual(range);
    }
    expect(read('range=7w')).toEqual(read('range=2h'));
  });

  it('follows the open minute while live', () => {
    expect(spanOf(read('range=5m'), NOON + 41_000)).toEqual({
      from: NOON - 4 * MINUTE,
      to: NOON + MINUTE,
    });
  });

  it('shifts by half its width, and is live again at the present', () => {
    const past = shiftRange(read('range=2h'), -1, NOON);
    expect(past).toEqual({ live: false, ms: 120 * MINUTE, to: NOON - 59 * MINUTE });
    expect(shiftRange(past, 1, NOON).live).toBe(true);
  });

  it('zooms to whole minutes and never under five', () => {
    expect(zoomRange(NOON + 10_000, NOON + 20_000)).toEqual({
      live: false,
      ms: 5 * MINUTE,
      to: NOON + 5 * MINUTE,
    });
  });
});

describe('ring', () => {
  it('slides, keeps holes and ignores what is too old', () => {
    const ring = new Ring(4);
    ring.set(10, 1);
    ring.set(12, 3);
    ring.set(3, 9);
    expect([...ring.values]).toEqual([NaN, 1, NaN, 3]);
    ring.set(40, 5);
    expect([...ring.values]).toEqual([NaN, NaN, NaN, 5]);
    expect(ring.advance(40)).toBe(false);
    expect(ring.advance(41)).toBe(true);
    expect([...ring.values]).toEqual([NaN, NaN, 5, NaN]);
  });

  it('knows its middle once there is enough', () => {
    const ring = new Ring(5);
    [4, 1, 3, 2, 100].forEach((value, slot) => ring.set(slot, value));
    expect(ring.median(1, 4)).toBe(2.5);
    expect(ring.median(1, 5)).toBeNull();
  });
});

describe('stats', () => {
  it('call usual what nine in ten values are', () => {
    expect(usualOf([1, 2, 3])).toBeNull();
    const usual = usualOf(Array.from({ length: 101 }, (_, k) => k));
    expect(usual).toEqual({ low: 5, middle: 50, high: 95 });
  });

  it('rank emotes and compare with the time before', () => {
    const at = (emotes: [string, number][]) =>
      minute(0, { top_emotes: emotes.map(([emote, count]) => ({ emote, count })) });
    expect(
      rankEmotes(
        [
          at([
            ['LUL', 2],
            ['GG', 5],
          ]),
          at([['LUL', 9]]),
        ],
        [at([['LUL', 1]])],
        0.5,
        2,
      ),
    ).toEqual([
      { emote: 'LUL', count: 11, ratio: 22 },
      { emote: 'GG', count: 5, ratio: null },
    ]);
  });
});
