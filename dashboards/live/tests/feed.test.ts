import { describe, expect, it } from 'vitest';
import { isNarrowed, isShown, readFeedFilter, toggleState } from '../src/lib/feed-filter';
import {
  advance,
  comparePlaces,
  findFloor,
  listLagging,
  openSources,
} from '../src/lib/feed-pages';
import { countMinutes, measureOf, spanAround } from '../src/lib/moment-course';
import { MINUTE } from '../src/lib/format';
import { listUndo } from '../src/lib/undo';
import type { Moment } from '../src/lib/types';

const START = Date.parse('2026-01-26T10:00:00Z');
const at = (minutes: number): string => new Date(START + minutes * MINUTE).toISOString();
const moment = (more: Partial<Moment> = {}) =>
  ({
    moment_id: 'm',
    stream_id: 'northlight_live',
    moment_type: 'chat_spike',
    metric_name: 'chat_count',
    metric_value: 1310,
    expected: 240,
    score: 5.6,
    timestamp: at(0),
    started_at: at(0),
    ended_at: null,
    state: 'open',
    shelved_until: null,
    label: null,
    description: 'Chat spike',
    reasons: [],
    metadata: {},
    ...more,
  }) as Moment;
const filterOf = (query: string) => readFeedFilter(new URLSearchParams(query));

describe('the filter of the feed', () => {
  it('shows what needs somebody unless the address says more', () => {
    const usual = filterOf('');
    expect(usual.states).toEqual(['open', 'acknowledged']);
    expect(isNarrowed(usual)).toBe(false);
    expect(filterOf('state=junk&severity=junk&before=junk')).toEqual(usual);
    expect(isNarrowed(filterOf('state=open,acknowledged,resolved'))).toBe(false);
    expect(isNarrowed(filterOf('state=open'))).toBe(true);
  });

  it('is written back, and the usual one is not', () => {
    expect(toggleState(filterOf(''), 'resolved')).toBe('open,acknowledged,resolved');
    expect(toggleState(filterOf('state=open'), 'acknowledged')).toBeNull();
    expect(toggleState(filterOf('state=open'), 'open')).toBeNull();
  });

  it('takes each of its parts into account', () => {
    const shows = (query: string, more: Partial<Moment> = {}): boolean =>
      isShown(filterOf(query), moment(more));
    expect(shows('')).toBe(true);
    expect(shows('', { state: 'resolved' })).toBe(false);
    expect(shows('state=resolved', { state: 'resolved' })).toBe(true);
    expect(shows('type=silence')).toBe(false);
    expect(shows('severity=critical')).toBe(true);
    expect(shows('severity=critical', { score: 3.9 })).toBe(false);
    expect(shows('stream=else')).toBe(false);
    expect(shows(`before=${at(0)}`)).toBe(false);
    expect(shows(`before=${at(1)}`)).toBe(true);
  });

  it('finds every word somewhere in what is said, in any case', () => {
    const finds = (words: string): boolean => isShown(filterOf(`q=${words}`), moment());
    expect(finds('SPIKE north')).toBe(true);
    expect(finds('critical')).toBe(true);
    expect(finds('21.8')).toBe(true);
    expect(finds('spike south')).toBe(false);
  });
});

describe('several lists read as one', () => {
  const place = (minutes: number, moment_id = 'm') => ({ timestamp: at(minutes), moment_id });
  const page = (next_cursor: string | null, ...minutes: number[]) => ({
    data: minutes.map((one) => place(one)),
    next_cursor,
  });

  it('ask once for all states, else once for each', () => {
    expect(openSources(['a', 'b'], ['a', 'b']).map(({ state }) => state)).toEqual([null]);
    expect(openSources(['a'], ['a', 'b']).map(({ state }) => state)).toEqual(['a']);
  });

  it('are known down to where the slowest is, and read on there', () => {
    const sources = openSources(['a', 'b'], ['a', 'b', 'c']);
    const [a, b] = sources as [(typeof sources)[0], (typeof sources)[0]];
    expect(findFloor(sources)).toBeNull();
    expect(listLagging(sources)).toEqual([a, b]);
    advance(a, page('next', 9, 5));
    advance(b, page('next', 8, 2));
    expect(findFloor(sources)).toEqual(place(5));
    expect(listLagging(sources)).toEqual([a]);
    advance(a, page(null, 1));
    expect(findFloor(sources)).toEqual(place(2));
    expect(listLagging(sources)).toEqual([b]);
    advance(b, page(null));
    expect(findFloor(sources)).toBeNull();
    expect(listLagging(sources)).toEqual([]);
  });

  it('are in the order of the API', () => {
    const places = [place(1, 'b'), place(2, 'c'), place(1, 'a')];
    expect(places.sort(comparePlaces).map(({ moment_id }) => moment_id)).toEqual(['c', 'a', 'b']);
  });
});

describe('what takes a change back', () => {
  const life = (state: Moment['state'], shelved_until: string | null = null, label?: boolean) => ({
    state,
    shelved_until,
    label: label ?? null,
  });
  const undo = (before: ReturnType<typeof life>, after: ReturnType<typeof life>) =>
    listUndo(before, after, START);

  it('leads to where it was', () => {
    expect(undo(life('open'), life('acknowledged'))).toEqual([{ action: 'reopen' }]);
    expect(undo(life('acknowledged'), life('shelved'))).toEqual([{ action: 'acknowledge' }]);
    expect(undo(life('acknowledged'), life('resolved'))).toEqual([
      { action: 'reopen' },
      { action: 'acknowledge' },
    ]);
    expect(undo(life('resolved'), life('open'))).toEqual([{ action: 'resolve' }]);
  });

  it('shelves again until the same time, unless that is over', () => {
    const shelved = life('shelved', at(5));
    expect(undo(shelved, life('acknowledged'))).toEqual([{ action: 'shelve', until: at(5) }]);
    expect(undo(shelved, life('shelved', at(9)))).toEqual([{ action: 'shelve', until: at(5) }]);
    expect(undo(life('shelved'), life('open'))).toEqual([{ action: 'mute' }]);
    expect(undo(life('shelved', at(-5)), life('acknowledged'))).toEqual([{ action: 'reopen' }]);
  });

  it('gives the label back, alone or with the state', () => {
    expect(undo(life('open', null, true), life('open', null, false))).toEqual([{ label: true }]);
    expect(undo(life('open'), life('resolved', null, true))).toEqual([
      { action: 'reopen', label: null },
    ]);
    expect(undo(life('open'), life('open'))).toEqual([]);
  });
});

describe('the course of a moment', () => {
  it('is shown from before it on, until after it, or until now', () => {
    const now = START + 10 * MINUTE + 30_000;
    expect(spanAround(moment(), now)).toEqual({ from: START - 45 * MINUTE, to: START + 11 * MINUTE });
    const over = moment({ ended_at: at(3) });
    expect(spanAround(over, START + 600 * MINUTE).to).toBe(START + 18 * MINUTE);
    const long = spanAround(moment(), START + 5000 * MINUTE);
    expect(long.to - long.from).toBe(720 * MINUTE);
  });

  it('is that of what it is about', () => {
    expect(measureOf(moment())).toBe('chat');
    expect(measureOf(moment({ moment_type: 'transaction_spike' }))).toBe('transactions');
    expect(measureOf(moment({ moment_type: 'flatline', metric_name: 'temp' }))).toBe('channel');
  });

  it('counts all kinds of transactions, and none where there are none', () => {
    const row = (minute: number, count: number, final: boolean | null) => ({
      window_start: at(minute),
      final,
      revision: 7,
      count,
    });
    const span = { from: START, to: START + 3 * MINUTE };
    const rows = [row(0, 2, true), row(0, 3, true), row(2, 1, false)];
    const points = countMinutes(rows, span, START + 3 * MINUTE);
    expect(points.map(({ value, final }) => [value, final])).toEqual([
      [5, true],
      [0, true],
      [1, false],
    ]);
  });
});
