/* What people do with boards, and what two of them do at once. */
import { describe, expect, it } from 'vitest';
import {
  dropIndex,
  findSubject,
  isWhole,
  makeChartId,
  makeTile,
  mergeDrafts,
  moveChart,
  removeChart,
  resizeChart,
  streamsOf,
  type Draft,
  type Tile,
} from '../src/lib/boards';

const tile = (id: string, more: Partial<Tile> = {}): Tile =>
  ({ ...makeTile({ kind: 'chat', stream_id: `s-${id}` }, id), ...more }) as Tile;
const charts = ['a', 'b', 'c'].map((id) => tile(id));
const ids = (list: readonly Tile[]): string => list.map((one) => one.chart_id).join('');
const draft = (list: readonly Tile[], more: Partial<Draft> = {}): Draft => ({
  name: 'Finals',
  range_s: 7200,
  charts: [...list],
  ...more,
});

describe('arranging', () => {
  it('moves a chart to a place of the order, and no further than an end', () => {
    expect(ids(moveChart(charts, 'a', 1))).toBe('bac');
    expect(ids(moveChart(charts, 'c', 0))).toBe('cab');
    expect(ids(moveChart(charts, 'a', 99))).toBe('bca');
    expect(ids(moveChart(charts, 'b', -5))).toBe('bac');
    expect(ids(moveChart(charts, 'x', 0))).toBe('abc');
  });

  it('keeps sizes within the grid', () => {
    const sizeOf = (list: Tile[]): number[] => [list[1]!.width, list[1]!.height];
    expect(sizeOf(resizeChart(charts, 'b', { width: 13, height: 0 }))).toEqual([12, 1]);
    expect(sizeOf(resizeChart(charts, 'b', { width: 1, height: 9 }))).toEqual([3, 4]);
    expect(sizeOf(resizeChart(charts, 'b', { width: 8 }))).toEqual([8, 2]);
    expect(resizeChart(charts, 'b', { width: 8 })[0]).toBe(charts[0]);
  });

  it('drops a chart before or after the one under the pointer', () => {
    const drop = (dragged: string, over: string, after: boolean): string =>
      ids(moveChart(charts, dragged, dropIndex(charts, dragged, over, after)));
    expect(drop('a', 'c', true)).toBe('bca');
    expect(drop('a', 'c', false)).toBe('bac');
    expect(drop('c', 'a', false)).toBe('cab');
    expect(drop('b', 'b', true)).toBe('abc');
  });
});

describe('pinning', () => {
  it('knows a chart that is there already by what it draws', () => {
    const compared = tile('d', { compare: { offset_s: 86_400 } } as Partial<Tile>);
    const list = [...charts, compared];
    const found = (more: object): string | undefined =>
      findSubject(list, { kind: 'chat', stream_id: 's-a', ...more })?.chart_id;
    expect(found({})).toBe('a');
    expect(found({ kind: 'viewers' })).toBeUndefined();
    expect(found({ compare: { offset_s: 86_400 } })).toBeUndefined();
    expect(found({ stream_id: 's-d', compare: { offset_s: 86_400 } })).toBe('d');
  });

  it('gives every chart its own id', () => {
    const made = Array.from({ length: 50 }, makeChartId);
    expect(new Set(made).size).toBe(50);
    expect(made.every((id) => /^[A-Za-z0-9_-]{1,32}$/.test(id))).toBe(true);
  });

  it('counts streams once and hidden charts not at all', () => {
    const hidden: Tile = { kind: 'hidden', chart_id: 'h', width: 3, height: 1 };
    expect(streamsOf([...charts, { ...charts[0]!, chart_id: 'a2' }, hidden])).toHaveLength(3);
    expect([isWhole(charts), isWhole([...charts, hidden])]).toEqual([true, false]);
  });
});

describe('two people at once', () => {
  const base = draft(charts);
  const merge = (mine: Draft, theirs: Draft): Draft => mergeDrafts(base, mine, theirs);

  it('keeps what each of them added', () => {
    const mine = draft([...charts, tile('m')]);
    const theirs = draft([tile('t'), ...charts]);
    expect(ids(merge(mine, theirs).charts)).toBe('tabcm');
  });

  it('keeps what each of them took away, resized and named', () => {
    const mine = draft(resizeChart(removeChart(charts, 'a'), 'b', { width: 12 }));
    const theirs = draft(resizeChart(charts, 'c', { height: 4 }), { name: 'Semis' });
    const both = merge(mine, theirs);
    expect(ids(both.charts)).toBe('bc');
    expect(both.charts.map((one) => [one.width, one.height])).toEqual([
      [12, 2],
      [6, 4],
    ]);
    expect([both.name, both.range_s]).toEqual(['Semis', 7200]);
  });

  it('lets the one hold who asks last, where both changed the same', () => {
    const mine = draft(resizeChart(charts, 'a', { width: 4 }), { name: 'Mine' });
    const theirs = draft(resizeChart(charts, 'a', { width: 9 }), { name: 'Theirs', range_s: 600 });
    const both = merge(mine, theirs);
    expect([both.name, both.range_s, both.charts[0]!.width]).toEqual(['Mine', 600, 4]);
  });

  it('takes over an order, whoever made it, with what the other one added', () => {
    const moved = moveChart(charts, 'c', 0);
    expect(ids(merge(draft(moved), draft([...charts, tile('t')])).charts)).toBe('cabt');
    expect(ids(merge(draft([...charts, tile('m')]), draft(moved)).charts)).toBe('cabm');
  });

  it('keeps a chart that one removed and the other one changed', () => {
    const resized = draft(resizeChart(charts, 'a', { width: 12 }));
    const removed = draft(removeChart(charts, 'a'));
    expect(ids(merge(resized, removed).charts)).toContain('a');
    expect(ids(merge(removed, resized).charts)).toContain('a');
  });
});
