/* Turns minutes into the columns that charts draw: one grid of minutes for a whole view, a hole
   where nothing is known, closed and open minutes apart. */
import type { ChartName } from './moment';
import { chartOf } from './moment';
import { severity, MINUTE, type Severity } from './format';
import { floorMinute, minuteGrid, type MinuteSeries, type Dated, type Span } from './minutes';
import type { Moment } from './types';

export type Column = (number | null)[];
/** The grid, then the columns over it. */
export type ChartColumns = [number[], ...Column[]];

export interface MinuteColumns<T> {
  grid: number[];
  rows: (T | null)[];
  /** The index of the first minute that may still change; the length of the grid when there is
      none. */
  openFrom: number;
}

interface Closable extends Dated {
  final: boolean;
}

export function readMinutes<T extends Closable>(
  minutes: MinuteSeries<T>,
  span: Span,
): MinuteColumns<T> {
  const grid = minuteGrid(span);
  const rows: (T | null)[] = grid.map((start) => minutes.at(start));
  let openFrom = grid.length;
  for (let k = rows.length - 1; k >= 0; k--) {
    const row = rows[k];
    if (row?.final) break;
    if (row) openFrom = k;
  }
  return { grid, rows, openFrom };
}

/** A line as two columns: closed minutes, and the last closed one with the open ones after it. */
export function lineColumns(values: Column, openFrom: number): [Column, Column] {
  const closed = values.map((value, k) => (k < openFrom ? value : null));
  const open = values.map((value, k) => (k >= openFrom ? value : null));
  // The dashed line starts at the last closed minute, when that is the minute before.
  if (openFrom > 0 && openFrom < values.length) open[openFrom - 1] = values[openFrom - 1] ?? null;
  return [closed, open];
}

/** A signed column as two: above zero and below. */
export function signColumns(values: Column): [Column, Column] {
  return [
    values.map((value) => (value !== null && value >= 0 ? value : null)),
    values.map((value) => (value !== null && value < 0 ? value : null)),
  ];
}

export interface ChartRegion extends Span {
  id: string;
  severity: Severity;
  opened: boolean;
  peak: number | null;
}

/** The moments a chart tints: its own, and of others only what is critical or opened. */
export function regionsFor(
  chart: ChartName,
  moments: readonly Moment[],
  span: Span,
  opened: string | null,
): ChartRegion[] {
  return moments.flatMap((moment) => {
    const own = chartOf(moment) === chart;
    const level = severity(moment.score);
    const isOpened = moment.moment_id === opened;
    if (!own && !isOpened && level !== 'critical') return [];
    const from = floorMinute(Date.parse(moment.started_at));
    const to = moment.ended_at ? Math.max(Date.parse(moment.ended_at), from + MINUTE) : span.to;
    if (to <= span.from || from >= span.to) return [];
    const peak = own ? floorMinute(Date.parse(moment.peak_at)) : null;
    return [{ id: moment.moment_id, from, to, severity: level, opened: isOpened, peak }];
  });
}

/** Last, least and most of the values that are known. */
export function extremes(values: Column): { last: number; least: number; most: number } | null {
  let found: { last: number; least: number; most: number } | null = null;
  for (const value of values) {
    if (value === null) continue;
    found = found
      ? { last: value, least: Math.min(found.least, value), most: Math.max(found.most, value) }
      : { last: value, least: value, most: value };
  }
  return found;
}
