/* What lies between the grid and the lines of a chart: the expected band, the envelope of what was
   thinned, another period or stream, limits. Drawn in device pixels, broken where nothing is known. */
import type uPlot from 'uplot';
import type { Column } from '../lib/columns';
import type { Band, Envelope } from '../lib/course';
import type { Limit } from '../lib/limits';
import { colour, fade, type TokenName } from './palette';

export interface NamedLimit extends Limit {
  label: string;
}

export interface Underlay {
  grid: readonly number[];
  band: Band | null;
  envelope: Envelope | null;
  compare: Column | null;
  limits: readonly NamedLimit[];
}

type Draw = (x: number, y: number) => void;

/** Each run of known values, by their places on the grid. */
function eachRun(
  grid: readonly number[],
  columns: readonly Column[],
  take: (run: number[]) => void,
): void {
  let run: number[] = [];
  grid.forEach((_, k) => {
    if (columns.every((column) => column[k] != null)) run.push(k);
    else if (run.length) {
      take(run);
      run = [];
    }
  });
  if (run.length) take(run);
}

function trace(plot: uPlot, grid: readonly number[], column: Column, run: number[], draw: Draw): void {
  for (const k of run)
    draw(plot.valToPos(grid[k]!, 'x', true), plot.valToPos(column[k]!, 'y', true));
}

export function drawUnderlay(plot: uPlot, under: Underlay, ink: TokenName): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  if (under.band) drawBand(plot, under.grid, under.band);
  if (under.envelope) drawEnvelope(plot, under.envelope, ink);
  drawLimits(plot, under.limits);
  if (under.compare) drawDotted(plot, under.grid, under.compare, 'text-2', 1.3, [1.5, 3.5]);
  ctx.restore();
}

/** A grey fill and its middle: never a hue, never a border. */
function drawBand(plot: uPlot, grid: readonly number[], band: Band): void {
  const { ctx } = plot;
  ctx.fillStyle = colour('band');
  eachRun(grid, [band.low, band.high], (run) => {
    ctx.beginPath();
    trace(plot, grid, band.high, run, (x, y) => ctx.lineTo(x, y));
    trace(plot, grid, band.low, [...run].reverse(), (x, y) => ctx.lineTo(x, y));
    ctx.fill();
  });
  drawDotted(plot, grid, band.middle, 'band-line', 1, [1, 3]);
}

function drawDotted(
  plot: uPlot,
  grid: readonly number[],
  column: Column,
  name: TokenName,
  width: number,
  dash: readonly [number, number],
): void {
  const { ctx } = plot;
  ctx.strokeStyle = colour(name);
  ctx.lineWidth = width * devicePixelRatio;
  ctx.setLineDash(dash.map((part) => part * devicePixelRatio));
  eachRun(grid, [column], (run) => {
    ctx.beginPath();
    trace(plot, grid, column, run, (x, y) => ctx.lineTo(x, y));
    ctx.stroke();
  });
  ctx.setLineDash([]);
}

/** From the lowest to the highest of each slice. */
function drawEnvelope(plot: uPlot, envelope: Envelope, ink: TokenName): void {
  const { ctx } = plot;
  ctx.fillStyle = fade(ink, 0.24);
  for (const { upper, lower } of envelope) {
    ctx.beginPath();
    for (const { at, value } of [...upper, ...[...lower].reverse()])
      ctx.lineTo(plot.valToPos(at, 'x', true), plot.valToPos(value, 'y', true));
    ctx.fill();
  }
}

function drawLimits(plot: uPlot, limits: readonly NamedLimit[]): void {
  const { ctx, bbox } = plot;
  for (const { value, label } of limits) {
    const y = plot.valToPos(value, 'y', true);
    ctx.strokeStyle = ctx.fillStyle = colour('sev-high');
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.font = `${11 * devicePixelRatio}px ${colour('font')}`;
    ctx.textAlign = 'left';
    ctx.textBaseline = 'bottom';
    ctx.fillText(label, bbox.left + 4 * devicePixelRatio, y - 2 * devicePixelRatio);
  }
}
