import { describe, expect, it } from 'vitest';
import { InView, LEAVE_AFTER_MS } from '../src/lib/in-view';
import { carryRow, readColumns, type RowMinute } from '../src/lib/overview';
import { Ring } from '../src/lib/ring';
import { EXTRA_ROWS, rowsToShow } from '../src/lib/rows';
import { find, scoreWord, SHOWN_MAX, type Findable } from '../src/lib/search';
import { orderRows, readFilter, type RowFacts } from '../src/views/overview/table';

const minute = (at: string, more: Partial<RowMinute> = {}): RowMinute => ({
  window_start: `2026-01-26T10:${at}:00Z`,
  chat_rate: 1,
  avg_viewers: null,
  avg_sentiment: null,
  z_score: null,
  is_anomaly: false,
  revision: 1,
  final: false,
  ...more,
});

describe('columns of the overview', () => {
  it('are read as what is known of each stream, gaps and all', () => {
    const [bench, chat] = readColumns({
      data: {
        id: ['bench', 'chat'],
        title: [null, 'A chat'],
        kind: ['bench', 'chat'],
        last_event_at: [null, '2026-01-26T10:32:15Z'],
        is_live: [false, true],
        window_start: [null, '2026-01-26T10:32:00Z'],
        chat_rate: [null, 17.1],
        avg_viewers: [null, 480],
        avg_sentiment: [null, 0.3],
        z_score: [null, null],
        is_anomaly: [null, true],
        revision: [null, 7],
        final: [null, false],
        rates: [[], []],
      },
      next_cursor: null,
      start: '2026-01-26T10:31:00Z',
    });
    expect(bench).toEqual({
      id: 'bench',
      title: null,
      kind: 'bench',
      isLive: false,
      lastEventAt: null,
      minute: null,
    });
    expect(chat!.lastEventAt).toBe(Date.parse('2026-01-26T10:32:15Z'));
    expect(chat!.minute).toEqual(
      minute('32', {
        chat_rate: 17.1,
        avg_viewers: 480,
        avg_sentiment: 0.3,
        is_anomaly: true,
        revision: 7,
      }),
    );
  });

  it('carry what a minute that has begun does not know from the one before', () => {
    const before = minute('31', { avg_viewers: 500, z_score: 2, final: true });
    expect(carryRow(minute('32'), before)).toEqual(minute('32', { avg_viewers: 500, z_score: 2 }));
    expect(carryRow(minute('33'), before)).toEqual(minute('33'));
    expect(carryRow(minute('32', { final: true }), before).avg_viewers).toBeNull();
  });
});

describe('a line', () => {
  it('says whether a value changed anything, so that what is the same is not drawn', () => {
    const ring = new Ring(3);
    expect([ring.set(1, 0.1), ring.set(1, 0.1), ring.set(1, 0.2), ring.set(2, 0.2)]).toEqual([
      true,
      false,
      true,
      true,
    ]);
    expect(ring.set(-5, 9)).toBe(false);
    expect([ring.at(2), ring.at(0), ring.at(3), ring.at(-9)]).toEqual([Math.fround(0.2), NaN, NaN, NaN]);
    expect([...ring.values]).toEqual([NaN, Math.fround(0.2), Math.fround(0.2)]);
  });
});

describe('rows that exist', () => {
  const view = (top: number) => ({ top, height: 300, rowHeight: 30 });

  it('are those on screen and six either side', () => {
    const shown = rowsToShow(1000, view(3000));
    expect(shown[0]).toBe(100 - EXTRA_ROWS);
    expect(shown.at(-1)).toBe(109 + EXTRA_ROWS);
    expect(rowsToShow(1000, view(-400))).toEqual([0, 1, 2]);
    expect(rowsToShow(4, view(0))).toEqual([0, 1, 2, 3]);
    expect(rowsToShow(0, view(0))).toEqual([]);
    expect(rowsToShow(4, view(9000))).toEqual([]);
  });

  it('include the one with the focus, once, wherever it is', () => {
    expect(rowsToShow(1000, view(3000), 3)[0]).toBe(3);
    expect(rowsToShow(1000, view(3000), 900).at(-1)).toBe(900);
    expect(rowsToShow(1000, view(3000), 105)).toEqual(rowsToShow(1000, view(3000)));
    expect(rowsToShow(1000, view(3000), 1000)).toEqual(rowsToShow(1000, view(3000)));
    expect(rowsToShow(4, view(9000), 2)).toEqual([2]);
  });
});

describe('streams that are followed', () => {
  it('stay so for five seconds after they left the screen', () => {
    const list = new InView();
    list.show(['a', 'b'], 0);
    list.show(['b', 'c'], 1000);
    expect(list.follow(1000).sort()).toEqual(['a', 'b', 'c']);
    expect(list.nextIn(2000)).toBe(LEAVE_AFTER_MS - 1000);
    list.show(['b', 'c'], 4000);
    expect(list.follow(1000 + LEAVE_AFTER_MS).sort()).toEqual(['b', 'c']);
    expect(list.nextIn(9000)).toBeNull();
  });

  it('are not left when they come back in time', () => {
    const list = new InView();
    list.show(['a'], 0);
    list.show([], 1000);
    list.show(['a'], 3000);
    expect(list.follow(60_000)).toEqual(['a']);
  });
});

describe('rows in order', () => {
  const row = (id: string, rate: number): RowFacts => ({
    id,
    title: null,
    kind: null,
    state: 'live',
    rate,
    change: null,
    viewers: null,
    sentiment: null,
    z: null,
    moment: null,
    last: null,
  });

  it('have pinned ones on top, in the same order among themselves', () => {
    const rows = [row('a', 9), row('b', 3), row('c', 5), row('d', 1)];
    const sort = { key: 'rate', up: false } as const;
    const ids = (query: string) =>
      orderRows(rows, {
        sort,
        filter: readFilter(new URLSearchParams(query)),
        pins: new Set(['d', 'b', 'gone']),
      }).map(({ id }) => id);
    expect(ids('')).toEqual(['b', 'd', 'a', 'c']);
    expect(ids('q=c')).toEqual(['c']);
  });
});

describe('search', () => {
  const thing = (kind: Findable['kind'], name: string, also = ''): Findable => ({
    kind,
    id: name,
    name,
    also,
    href: `/${name}`,
  });

  it('values the whole name, its start, the start of a word, a part, and letters in order', () => {
    const scores = ['northlight_live', 'north', 'live', 'thl', 'ntl'].map((word) =>
      scoreWord('northlight_live', word),
    );
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(new Set(scores).size).toBe(5);
    expect(scores.at(-1)).toBeGreaterThan(0);
    expect(scoreWord('northlight_live', 'zebra')).toBe(0);
    expect(scoreWord('northlight_live', 'evil')).toBe(0);
  });

  it('forgives a letter that was left out, and no more than that', () => {
    expect(scoreWord('bench-07', 'bnch')).toBeGreaterThan(0);
    expect(scoreWord('bench-07', 'b7')).toBeGreaterThan(0);
    expect(scoreWord('hex_marathon', 'hrthn')).toBe(0);
  });

  it('wants every word, in the name or beside it, and puts the nearest first', () => {
    const things = [
      thing('stream', 'kestrel-open-main', 'Kestrel Open, main stage'),
      thing('stream', 'kestrel-open-fr', 'Kestrel Open, français'),
      thing('page', 'Moments'),
    ];
    expect(find(things, 'kestrel stage').map(({ id }) => id)).toEqual(['kestrel-open-main']);
    expect(find(things, 'kestrel').map(({ id }) => id)).toEqual([
      'kestrel-open-fr',
      'kestrel-open-main',
    ]);
    expect(find(things, 'mom').map(({ id }) => id)).toEqual(['Moments']);
    expect(find(things, 'nothing here')).toEqual([]);
  });

  it('shows each thing once, a few of each kind, kinds together', () => {
    const many = Array.from({ length: 50 }, (_, n) => thing('stream', `sim-${n}`));
    const found = find([...many, thing('page', 'Simple'), many[0]!], 'sim');
    expect(found.filter(({ kind }) => kind === 'stream')).toHaveLength(SHOWN_MAX);
    expect(found.map(({ kind }) => kind).join()).toMatch(/^(stream,)+page$|^page(,stream)+$/);
    expect(find(many, '')).toHaveLength(SHOWN_MAX);
  });
});
