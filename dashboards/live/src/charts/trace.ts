/* Draws a trace: one or two figures over the last minutes on a small canvas, with the usual value
   dotted and the limit dashed. A hole stays a hole. */
import { tickLabels } from '../lib/format';
import { colour, hatch, type TokenName } from './palette';
import { runs } from './spark';
import { numberTicks, timeLabel, timeTicks } from './ticks';
import { GUTTER, RIGHT, slotLeft, traceScale, type TraceLine } from './trace-scale';

export interface TraceShape {
  lines: readonly TraceLine[];
  from: number;
  to: number;
  limit: number | null;
  usual: number | null;
  limitLabel: string;
  usualLabel: string;
  /** The slot under the cursor. */
  at: number | null;
  stale: boolean;
}

const TOP = 8;
const AXIS = 20;

export function drawTrace(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
  shape: TraceShape,
): void {
  const ratio = Math.min(2, devicePixelRatio || 1);
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext('2d');
  if (!pen || width < 80) return;
  pen.scale(ratio, ratio);
  pen.font = `11px ${colour('font')}`;
  const { top, shows } = traceScale(shape.lines, shape.usual, shape.limit);
  const bottom = height - AXIS;
  const y = (value: number): number => bottom - (value / top) * (bottom - TOP);
  drawAxes(pen, width, height, shape, top, y);
  for (const line of shape.lines) drawLine(pen, width, line, y, shape.stale, ratio, bottom);
  if (shape.usual !== null)
    drawLevel(pen, width, y(shape.usual), 'text-3', [1, 3], shape.usualLabel);
  if (shape.limit !== null)
    if (shows) drawLevel(pen, width, y(shape.limit), 'sev-medium', [4, 3], shape.limitLabel);
    else label(pen, `${shape.limitLabel} ↑`, GUTTER + 4, TOP + 5, 'sev-medium');
  if (shape.at !== null) {
    const x = slotLeft(shape.at, shape.lines[0]?.values.length ?? 1, width);
    pen.strokeStyle = colour('cursor');
    pen.setLineDash([3, 3]);
    stroke(pen, x, TOP, x, bottom);
  }
}

function stroke(pen: CanvasRenderingContext2D, x: number, y: number, x2: number, y2: number): void {
  pen.beginPath();
  pen.moveTo(x, y);
  pen.lineTo(x2, y2);
  pen.stroke();
  pen.setLineDash([]);
}

function drawAxes(
  pen: CanvasRenderingContext2D,
  width: number,
  height: number,
  { from, to, lines }: TraceShape,
  top: number,
  y: (value: number) => number,
): void {
  const ticks = numberTicks(0, top, 4);
  const isKnown = lines.some(({ values }) => values.some((value) => !Number.isNaN(value)));
  const labels = tickLabels(ticks);
  pen.lineWidth = 1;
  pen.textBaseline = 'middle';
  pen.textAlign = 'right';
  ticks.forEach((tick, k) => {
    const at = Math.round(y(tick)) + 0.5;
    pen.strokeStyle = colour(tick === 0 ? 'line-strong' : 'grid');
    stroke(pen, GUTTER, at, width - RIGHT, at);
    pen.fillStyle = colour('text-3');
    // Of a scale without a value the figures would be made up.
    if (isKnown) pen.fillText(labels[k] ?? '', GUTTER - 6, at);
  });
  const wide = width - GUTTER - RIGHT;
  pen.textAlign = 'center';
  for (const time of timeTicks(from, to, wide)) {
    const x = GUTTER + ((time - from) / (to - from)) * wide;
    if (x > GUTTER + 12 && x < width - 18) pen.fillText(timeLabel(time), x, height - 8);
  }
}

function drawLine(
  pen: CanvasRenderingContext2D,
  width: number,
  { values, ink }: TraceLine,
  y: (value: number) => number,
  stale: boolean,
  ratio: number,
  bottom: number,
): void {
  const x = (slot: number): number => slotLeft(slot, values.length, width);
  pen.strokeStyle = pen.fillStyle = colour(stale ? 'text-3' : ink);
  pen.lineWidth = 1.6;
  pen.lineJoin = 'round';
  for (const [from, to, known] of runs(values)) {
    if (!known) {
      // Before the first value the page was not open yet.
      if (from > 0 && to < values.length) drawGap(pen, x(from - 1), x(to), bottom, ratio);
      continue;
    }
    pen.strokeStyle = pen.fillStyle = colour(stale ? 'text-3' : ink);
    pen.beginPath();
    if (to - from === 1) pen.arc(x(from), y(values[from]!), 1.5, 0, 7);
    else for (let slot = from; slot < to; slot++) pen.lineTo(x(slot), y(values[slot]!));
    if (to - from === 1) pen.fill();
    else pen.stroke();
  }
}

function drawGap(
  pen: CanvasRenderingContext2D,
  left: number,
  right: number,
  bottom: number,
  ratio: number,
): void {
  const lines = hatch(pen, 'text-3', 0.3, 6, ratio);
  if (typeof lines !== 'string') lines.setTransform(new DOMMatrix().scale(1 / ratio));
  pen.fillStyle = lines;
  pen.fillRect(left, TOP, right - left, bottom - TOP);
}

function drawLevel(
  pen: CanvasRenderingContext2D,
  width: number,
  at: number,
  ink: TokenName,
  dash: number[],
  words: string,
): void {
  pen.strokeStyle = colour(ink);
  pen.lineWidth = 1;
  pen.setLineDash(dash);
  stroke(pen, GUTTER, at, width - RIGHT, at);
  label(pen, words, GUTTER + 4, at < TOP + 14 ? at + 8 : at - 7, ink);
}

function label(
  pen: CanvasRenderingContext2D,
  words: string,
  x: number,
  y: number,
  ink: TokenName,
): void {
  pen.textAlign = 'left';
  pen.textBaseline = 'middle';
  pen.fillStyle = colour('panel');
  pen.fillRect(x - 2, y - 7, pen.measureText(words).width + 4, 13);
  pen.fillStyle = colour(ink);
  pen.fillText(words, x, y);
}
