/* From the data of a chart to what is drawn: its shape, its columns, and all that lies under and over
   them. */
import { lineColumns, signColumns, type ChartColumns, type Column } from '../lib/columns';
import { extentOf, middleOf, stack, type Course } from '../lib/course';
import { clockOn } from '../lib/format';
import { limitsOf } from '../lib/limits';
import type { Span } from '../lib/minutes';
import { chartText } from '../lib/text-stream';
import type { Layers } from './layers';
import type { MetricData } from './metric-data.svelte';
import { KIND_COLOURS, type MetricStyle } from './metrics';
import type { ChartShape, ChartView } from './options';
import type { TokenName } from './palette';

export interface ShapeWishes {
  height: number;
  times: boolean;
  colour: TokenName | undefined;
  kinds: readonly string[];
}

export function shapeOf(style: MetricStyle, wishes: ShapeWishes): ChartShape {
  const { height, times, colour, kinds } = wishes;
  return {
    ...style.shape,
    colour: colour ?? style.shape.colour,
    colours: kinds.map((kind) => KIND_COLOURS[kind] ?? 'series-8'),
    height,
    times,
  };
}

export function columnsOf(kind: ChartShape['kind'], course: Course): ChartColumns {
  const { grid, values, openFrom, parts } = course;
  if (kind === 'line') return [placesOf(course), ...lineColumns(values, openFrom)];
  if (kind === 'bars') return [grid, ...signColumns(values)];
  const sums: Column[] = parts.length ? stack(parts, grid.length) : [values];
  return [grid, ...sums.reverse()];
}

/** Where windows lie on the axis. */
function placesOf({ grid, step }: Course): number[] {
  const shift = middleOf(step);
  return shift ? grid.map((start) => start + shift) : grid;
}

export interface ViewWishes {
  span: Span;
  live: boolean;
  labelled: boolean;
  /** The minute that runs. */
  minute: number;
}

export function viewOf(data: MetricData, { span, live, labelled, minute }: ViewWishes): ChartView {
  const { course, compare, what } = data;
  const { grid, openFrom, step } = course;
  const limits = limitsOf(data.page.info?.metadata, what.channel ?? data.style.column);
  const extent = extentOf(course, [
    ...(compare ? [compare] : []),
    limits.map((limit) => limit.value),
  ]);
  const isEmpty = course.values.every((value) => value === null);
  const open = grid[openFrom];
  const layers: Layers = {
    gaps: data.gaps,
    // An empty chart says so in its middle.
    gapLabel: labelled && !isEmpty ? chartText.noData : '',
    regions: data.regions,
    open: open === undefined ? null : { from: open, to: Math.max(open + step, live ? span.to : 0) },
    start: labelled ? startOf(data.begin, span, minute) : null,
  };
  const under = {
    grid: placesOf(course),
    band: course.band,
    envelope: course.envelope,
    compare,
    limits: limits.map((limit) => ({ ...limit, label: chartText.limit[limit.side] })),
  };
  return { span, layers, stale: data.stale && live, extent, under };
}

const startOf = (begin: number, span: Span, minute: number): Layers['start'] =>
  begin > span.from && begin < span.to
    ? { at: begin, label: chartText.starts(clockOn(begin, minute)) }
    : null;
