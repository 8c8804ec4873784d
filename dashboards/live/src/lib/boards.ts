/* Boards: charts in an order, each with a size in a grid of twelve columns. Everything that people
   do with one is a function from a draft to the next; what the server keeps is the same shape with
   a version. */
import type { components } from '../../generated/api';

export type Board = components['schemas']['BoardOut'];
/** A place on a board: a chart, or one that the key does not reach. */
export type Tile = Board['charts'][number];
export type ChartTile = Exclude<Tile, { kind: 'hidden' }>;
export type ChartKind = ChartTile['kind'];

/** What is drawn, wherever it stands. */
export interface Subject {
  kind: ChartKind;
  stream_id: string;
  channel?: string;
  compare?: ChartTile['compare'];
}

/** What people choose of a board. */
export interface Draft {
  name: string;
  range_s: number;
  charts: Tile[];
}

export const COLUMNS = 12;
export const WIDTH_MIN = 3;
export const HEIGHT_MAX = 4;
export const CHARTS_MAX = 40;
export const NAME_MAX = 100;
/** Two hours, as a new board begins. */
export const RANGE_S = 7200;
const STANDARD = { width: 6, height: 2 };

export const draftOf = ({ name, range_s, charts }: Draft): Draft => ({ name, range_s, charts });

export const isSame = (one: unknown, other: unknown): boolean =>
  JSON.stringify(one) === JSON.stringify(other);

/** Whether a board may be changed here: what is hidden from this key would be lost. */
export const isWhole = (charts: readonly Tile[]): boolean =>
  charts.every((tile) => tile.kind !== 'hidden');

export function makeTile(subject: Subject, chartId: string): ChartTile {
  const { kind, stream_id, channel, compare = null } = subject;
  const drawn = { chart_id: chartId, ...STANDARD, stream_id, compare, title: null };
  return kind === 'channel'
    ? { ...drawn, kind, channel: channel ?? '' }
    : { ...drawn, kind };
}

/** Not crypto.randomUUID, which a page without TLS does not have. */
export function makeChartId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(6));
  return `c${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

export const subjectOf = (tile: ChartTile): Subject => ({
  kind: tile.kind,
  stream_id: tile.stream_id,
  ...(tile.kind === 'channel' ? { channel: tile.channel } : {}),
  compare: tile.compare,
});

/** The chart of a board that draws the same thing. */
export const findSubject = (charts: readonly Tile[], subject: Subject): Tile | undefined => {
  const wanted = subjectOf(makeTile(subject, ''));
  return charts.find((tile) => tile.kind !== 'hidden' && isSame(subjectOf(tile), wanted));
};

export const indexOf = (charts: readonly Tile[], chartId: string): number =>
  charts.findIndex((tile) => tile.chart_id === chartId);

/** Put a chart at another place of the order; beyond an end is at the end. */
export function moveChart(charts: readonly Tile[], chartId: string, to: number): Tile[] {
  const from = indexOf(charts, chartId);
  const moved = charts[from];
  if (!moved) return [...charts];
  const rest = charts.filter((tile) => tile !== moved);
  rest.splice(clamp(to, 0, rest.length), 0, moved);
  return rest;
}

export function resizeChart(
  charts: readonly Tile[],
  chartId: string,
  size: { width?: number; height?: number },
): Tile[] {
  return charts.map((tile) =>
    tile.chart_id === chartId
      ? {
          ...tile,
          width: clamp(size.width ?? tile.width, WIDTH_MIN, COLUMNS),
          height: clamp(size.height ?? tile.height, 1, HEIGHT_MAX),
        }
      : tile,
  );
}

export const removeChart = (charts: readonly Tile[], chartId: string): Tile[] =>
  charts.filter((tile) => tile.chart_id !== chartId);

/** Two changes of one board as one: what I did since `base`, done to theirs. Where both changed the
    same, mine holds; nothing that either added is lost. */
export function mergeDrafts(base: Draft, mine: Draft, theirs: Draft): Draft {
  return {
    name: mine.name === base.name ? theirs.name : mine.name,
    range_s: mine.range_s === base.range_s ? theirs.range_s : mine.range_s,
    charts: mergeCharts(base.charts, mine.charts, theirs.charts),
  };
}

function mergeCharts(base: Tile[], mine: Tile[], theirs: Tile[]): Tile[] {
  const find = (charts: Tile[], id: string): Tile | undefined =>
    charts.find((tile) => tile.chart_id === id);
  const isKept = ({ chart_id }: Tile): boolean => {
    const inBase = find(base, chart_id);
    if (!inBase) return true;
    const [a, b] = [find(mine, chart_id), find(theirs, chart_id)];
    // Who changed a chart wants it, although the other one took it away.
    return a && b ? true : !isSame(a ?? b, inBase);
  };
  const ids = (charts: Tile[]): string[] => charts.map((tile) => tile.chart_id);
  const common = (charts: Tile[], others: Tile[]): string[] =>
    ids(charts).filter((id) => find(others, id));
  const isMoved = !isSame(common(mine, base), common(base, mine));
  const [first, second] = isMoved ? [mine, theirs] : [theirs, mine];
  const all = [...first, ...second.filter((tile) => !find(first, tile.chart_id))];
  return all.filter(isKept).map(({ chart_id }) => {
    const [a, b, before] = [find(mine, chart_id), find(theirs, chart_id), find(base, chart_id)];
    return a && (!b || !isSame(a, before)) ? a : b!;
  });
}

/** The streams a board draws, each once. */
export function streamsOf(charts: readonly Tile[]): string[] {
  const drawn = charts.filter((tile) => tile.kind !== 'hidden');
  return [...new Set(drawn.map((tile) => tile.stream_id))];
}

/** Where a dragged chart lands: before or after the tile under the pointer, by its nearer half. */
export function dropIndex(
  charts: readonly Tile[],
  dragged: string,
  over: string,
  isAfter: boolean,
): number {
  const rest = removeChart(charts, dragged);
  const at = indexOf(rest, over);
  return at < 0 ? indexOf(charts, dragged) : at + (isAfter ? 1 : 0);
}

const clamp = (value: number, least: number, most: number): number =>
  Math.min(most, Math.max(least, value));
