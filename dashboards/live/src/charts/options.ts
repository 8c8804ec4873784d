/* uPlot options in the conventions of the page: gutters of 44 and 8, horizontal grid, no legend, no
   smoothing, the open minute as a dashed two-point line with a hollow end. */
import uPlot from 'uplot';
import { tickLabels } from '../lib/format';
import type { Span } from '../lib/minutes';
import { drawGround, drawMarks, drawOpenBars, type Layers } from './layers';
import { colour, fade, type TokenName } from './palette';
import { numberTicks, timeLabel, timeTicks } from './ticks';
import { drawUnderlay, type Underlay } from './underlay';

export interface ChartShape {
  /** A line has two columns of data, closed and open minutes; bars have positive and negative; a
      stack has one for each part, the sums so far. */
  kind: 'line' | 'bars' | 'stack';
  colour: TokenName;
  /** For bars below zero. */
  colourBelow?: TokenName;
  /** For a stack: of each part. */
  colours?: readonly TokenName[];
  area?: boolean;
  height: number;
  /** Only the last chart of a stack shows times. */
  times: boolean;
  /** Marks times by the second where there is room. */
  fine?: boolean;
  scale(low: number | null, high: number | null): [number, number];
  label?(ticks: readonly number[]): string[];
}

/** What a chart draws next; read at draw time, so that a new span needs no new chart. */
export interface ChartView {
  span: Span;
  layers: Layers;
  stale: boolean;
  /** Nothing is known in the span: ticks would be made up. */
  empty?: boolean;
  /** Least and most of all that is drawn, when that is more than the columns. */
  extent?: [number, number] | null;
  under?: Underlay | null;
}

const PIXELS_PER_TICK = 42;
const DENSE_PIXELS_PER_TICK = 30;
const HOLLOW = 7;
const TOP = 8;
const BOTTOM = 4;
const AXIS = 20;
export const RIGHT = 8;

const axisFont = (): string => `${innerWidth >= 2000 ? 12 : 11}px ${colour('font')}`;
export const gutter = (width: number): number => (width < 480 ? 36 : 44);
/** The width between the gutters; uPlot's own is not known yet when it first asks for ticks. */
const plotWidth = (plot: uPlot): number => plot.width - gutter(plot.width) - RIGHT;

function isolated(values: ArrayLike<number | null | undefined>): number[] {
  const alone: number[] = [];
  for (let k = 0; k < values.length; k++)
    if (values[k] != null && values[k - 1] == null && values[k + 1] == null) alone.push(k);
  return alone;
}

function areaFill(plot: uPlot, name: TokenName): CanvasGradient | string {
  const { top, height } = plot.bbox;
  if (!Number.isFinite(top + height)) return 'transparent';
  const fill = plot.ctx.createLinearGradient(0, top, 0, top + height);
  fill.addColorStop(0, fade(name, 0.22));
  fill.addColorStop(1, fade(name, 0.02));
  return fill;
}

function lineSeries(shape: ChartShape, view: () => ChartView): uPlot.Series[] {
  const ink = (): string => colour(view().stale ? 'text-3' : shape.colour);
  const line = { stroke: ink, width: 1.6, spanGaps: false, pxAlign: 0 as const };
  return [
    {
      ...line,
      fill: shape.area
        ? (plot) => areaFill(plot, view().stale ? 'text-3' : shape.colour)
        : undefined,
      points: {
        show: true,
        size: 4,
        stroke: ink,
        fill: ink,
        filter: (plot, index) => isolated(plot.data[index] ?? []),
      },
    },
    {
      ...line,
      dash: [3, 3],
      spanGaps: true,
      points: {
        show: true,
        size: HOLLOW,
        width: 1.6,
        stroke: ink,
        fill: () => colour('panel'),
        filter: (plot, index) => {
          const last = (plot.data[index] ?? []).findLastIndex((value) => value != null);
          return last < 0 ? [] : [last];
        },
      },
    },
  ];
}

function barSeries(names: readonly TokenName[], view: () => ChartView): uPlot.Series[] {
  const bars = uPlot.paths.bars!({ align: 1, size: [0.86, 40], gap: 0 });
  return names.map((name) => ({
    paths: bars,
    stroke: 'transparent',
    width: 0,
    fill: () => colour(view().stale ? 'text-3' : name),
    points: { show: false },
  }));
}

function seriesOf(shape: ChartShape, view: () => ChartView): uPlot.Series[] {
  if (shape.kind === 'line') return lineSeries(shape, view);
  if (shape.kind === 'bars')
    return barSeries([shape.colour, shape.colourBelow ?? shape.colour], view);
  // The topmost first: each bar reaches down to zero and the next one covers its foot.
  return barSeries([...(shape.colours ?? [shape.colour])].reverse(), view);
}

export function chartOptions(
  shape: ChartShape,
  width: number,
  view: () => ChartView,
): uPlot.Options {
  const grid = { stroke: () => colour('grid'), width: 1 };
  const axis = { stroke: () => colour('text-3'), font: axisFont(), ticks: { show: false }, grid };
  const tall = shape.height - TOP - (shape.times ? AXIS : BOTTOM);
  const wanted = shape.height > 160 ? PIXELS_PER_TICK : DENSE_PIXELS_PER_TICK;
  return {
    width,
    height: shape.height,
    ms: 1,
    padding: [TOP, RIGHT, shape.times ? 0 : BOTTOM, 0],
    legend: { show: false },
    cursor: {
      y: false,
      points: {
        show: shape.kind === 'line',
        size: 8,
        width: 2,
        stroke: () => colour('panel'),
        fill: () => colour(view().stale ? 'text-3' : shape.colour),
      },
      // The cursor group moves the cursor; uPlot only draws it.
      bind: {
        mousedown: () => null,
        mousemove: () => null,
        mouseup: () => null,
        mouseleave: () => null,
        dblclick: () => null,
      },
      drag: { x: false, y: false },
    },
    scales: {
      x: { time: false, range: () => [view().span.from, view().span.to] },
      y: {
        range: (_, low, high) => {
          const { extent } = view();
          return extent ? shape.scale(...extent) : shape.scale(low, high);
        },
      },
    },
    axes: [
      {
        ...axis,
        size: shape.times ? AXIS : 0,
        gap: 4,
        splits: (plot, _, from, to) =>
          timeTicks(from, to, plotWidth(plot), undefined, shape.fine),
        // A label too near an edge would be cut; its grid line stays.
        values: (plot, splits) => {
          const { from, to } = view().span;
          const wide = plotWidth(plot);
          return splits.map((at) => {
            const left = ((at - from) / (to - from)) * wide;
            return !shape.times || left < 12 || left > wide - 14 ? '' : timeLabel(at);
          });
        },
      },
      {
        ...axis,
        size: (plot) => gutter(plot.width),
        gap: 6,
        splits: (_, __, low, high) =>
          numberTicks(low, high, Math.max(2, Math.min(6, tall / wanted))),
        values: (_, splits) =>
          view().empty ? splits.map(() => '') : (shape.label ?? tickLabels)(splits),
      },
    ],
    series: [{}, ...seriesOf(shape, view)],
    hooks: {
      drawClear: [(plot) => drawGround(plot, view().layers)],
      drawAxes: [
        drawZero,
        (plot) => {
          const { under, layers, stale } = view();
          if (under) drawUnderlay(plot, under, stale ? 'text-3' : shape.colour);
          drawMarks(plot, layers);
        },
      ],
      draw: [
        (plot) => {
          if (shape.kind !== 'line') drawOpenBars(plot, view().layers);
        },
      ],
    },
  };
}

/** The zero line is a line, not a grid line. */
function drawZero(plot: uPlot): void {
  const { ctx, bbox } = plot;
  const at = Math.round(plot.valToPos(0, 'y', true));
  if (at < bbox.top || at > bbox.top + bbox.height + 1) return;
  ctx.save();
  ctx.strokeStyle = colour('line-strong');
  ctx.lineWidth = Math.max(1, Math.round(bbox.width / plot.over.clientWidth || 1));
  ctx.beginPath();
  ctx.moveTo(bbox.left, at + 0.5);
  ctx.lineTo(bbox.left + bbox.width, at + 0.5);
  ctx.stroke();
  ctx.restore();
}
