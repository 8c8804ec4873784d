/* Filter and order of the rows on the overview, and how the address holds both. */
import type { StreamState } from '../../lib/state';

export const SORTS = [
  'name',
  'rate',
  'change',
  'viewers',
  'sentiment',
  'z',
  'moment',
  'last',
] as const;
export type SortKey = (typeof SORTS)[number];

export interface Sort {
  key: SortKey;
  up: boolean;
}

/** What the chips choose among; `live` is without the stale ones. */
export const STATES = ['all', 'live', 'stale', 'silent', 'moments'] as const;
export type StateFilter = (typeof STATES)[number];

export interface Filter {
  words: string;
  state: StateFilter;
  kind: string | null;
}

export interface RowFacts {
  id: string;
  title: string | null;
  kind: string | null;
  state: StreamState;
  rate: number | null;
  change: number | null;
  viewers: number | null;
  sentiment: number | null;
  z: number | null;
  moment: number | null;
  last: number | null;
}

/** A collator made once: `localeCompare` makes one for each pair. */
const NAMES = new Intl.Collator('en');
const DEFAULT_SORT: Sort = { key: 'moment', up: false };

export function readSort(query: URLSearchParams): Sort {
  const [key, way] = (query.get('sort') ?? '').split('.');
  const known = SORTS.find((one) => one === key);
  return known ? { key: known, up: way === 'up' } : DEFAULT_SORT;
}

export function writeSort(sort: Sort): string | null {
  const isDefault = sort.key === DEFAULT_SORT.key && sort.up === DEFAULT_SORT.up;
  return isDefault ? null : `${sort.key}.${sort.up ? 'up' : 'down'}`;
}

/** Choosing a column again turns it round; names start at A, figures at the largest. */
export function nextSort(now: Sort, key: SortKey): Sort {
  return now.key === key ? { key, up: !now.up } : { key, up: key === 'name' };
}

export function readFilter(query: URLSearchParams): Filter {
  const state = query.get('state');
  return {
    words: query.get('q') ?? '',
    state: STATES.find((one) => one === state) ?? 'all',
    kind: query.get('kind'),
  };
}

const SHOWN_STATE = { live: 'live', stale: 'stale', silent: 'gone' } as const;

/** Every word must be found in the name, the title or the kind. */
export function matches(
  row: Pick<RowFacts, 'id' | 'title' | 'kind' | 'state' | 'moment'>,
  filter: Filter,
): boolean {
  if (filter.state === 'moments' && row.moment === null) return false;
  if (filter.state in SHOWN_STATE && row.state !== SHOWN_STATE[filter.state as 'live']) return false;
  if (filter.kind !== null && row.kind !== filter.kind) return false;
  const hay = `${row.id} ${row.title ?? ''} ${row.kind ?? ''}`.toLowerCase();
  return filter.words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => hay.includes(word));
}

/** The rows that match, in order; pinned ones on top, in the same order among themselves. */
export function orderRows<T extends RowFacts>(
  rows: readonly T[],
  { filter, sort, pins }: { filter: Filter; sort: Sort; pins: ReadonlySet<string> },
): T[] {
  const order = compareRows(sort);
  return rows
    .filter((row) => matches(row, filter))
    .sort((a, b) => Number(pins.has(b.id)) - Number(pins.has(a.id)) || order(a, b));
}

/** The z-score is ordered by size, whatever its sign; what is missing always comes last. */
export function compareRows(sort: Sort): (a: RowFacts, b: RowFacts) => number {
  const way = sort.up ? 1 : -1;
  const value = (row: RowFacts): number | null => {
    if (sort.key === 'name') return null;
    const found = row[sort.key];
    return sort.key === 'z' && found !== null ? Math.abs(found) : found;
  };
  return (a, b) => {
    const byName = NAMES.compare(a.id, b.id);
    if (sort.key === 'name') return way * byName;
    const m = value(a);
    const n = value(b);
    if (m !== n && m !== null && n !== null) return way * (m - n);
    if ((m === null) !== (n === null)) return m === null ? 1 : -1;
    if (sort.key !== 'moment') return byName;
    // Without moments the default order is by pace, so that the busiest streams stand on top.
    return (b.rate ?? -1) - (a.rate ?? -1) || byName;
  };
}
