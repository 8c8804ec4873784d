/* What lies under the lines of a chart: gaps, moments, the pale stripe of the open minute. Drawn in
   uPlot's hooks, in device pixels. */
import type uPlot from 'uplot';
import type { Severity } from '../lib/format';
import type { Span } from '../lib/minutes';
import { colour, fade, hatch } from './palette';

export interface Region extends Span {
  severity: Severity;
  /** Drawn stronger: the moment that is opened in the list. */
  opened: boolean;
  peak: number | null;
}

export interface Layers {
  gaps: readonly Span[];
  /** The word written into the widest gap, on one chart of a stack. */
  gapLabel: string;
  regions: readonly Region[];
  /** The open minute, when it is in view. */
  open: Span | null;
  /** The time of the first event, when the range begins before it. */
  start: { at: number; label: string } | null;
}

const LABEL_ROOM = 42;

type Across = (time: number) => number;

interface Ground {
  ctx: CanvasRenderingContext2D;
  bbox: uPlot.BBox;
  /** Device pixels in a CSS pixel. */
  ratio: number;
  x: Across;
}

function groundOf(plot: uPlot): Ground {
  const { ctx, bbox } = plot;
  const x = (time: number): number => {
    const at = plot.valToPos(time, 'x', true);
    return Math.min(bbox.left + bbox.width, Math.max(bbox.left, at));
  };
  return { ctx, bbox, ratio: devicePixelRatio, x };
}

/** Below grid and lines: gaps, tints, the open minute. */
export function drawGround(plot: uPlot, layers: Layers): void {
  const ground = groundOf(plot);
  const { ctx, bbox, x } = ground;
  ctx.save();
  drawGaps(ground, layers.gaps);
  for (const region of layers.regions) {
    ctx.fillStyle = fade(`sev-${region.severity}`, region.opened ? 0.2 : 0.12);
    ctx.fillRect(x(region.from), bbox.top, widthOf(ground, region), bbox.height);
  }
  if (layers.open) {
    ctx.fillStyle = fade('text-3', 0.1);
    ctx.fillRect(x(layers.open.from), bbox.top, widthOf(ground, layers.open), bbox.height);
  }
  ctx.restore();
}

/** Above the grid, below the lines: words, the cap of each moment, the dotted line at its peak. */
export function drawMarks(plot: uPlot, layers: Layers): void {
  const ground = groundOf(plot);
  const { ctx, bbox, ratio, x } = ground;
  ctx.save();
  ctx.font = `${11 * ratio}px ${colour('font')}`;
  ctx.textBaseline = 'top';
  ctx.textAlign = 'center';
  drawWords(ground, layers);
  ctx.lineWidth = ratio;
  ctx.setLineDash([2 * ratio, 3 * ratio]);
  for (const region of layers.regions) {
    const name = `sev-${region.severity}` as const;
    ctx.fillStyle = colour(name);
    ctx.fillRect(x(region.from), bbox.top, widthOf(ground, region), 2 * ratio);
    if (region.peak === null || region.peak < region.from) continue;
    ctx.strokeStyle = fade(name, 0.75);
    ctx.beginPath();
    ctx.moveTo(x(region.peak), bbox.top);
    ctx.lineTo(x(region.peak), bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

/** Over the bars of the open minute: they are still filling up. */
export function drawOpenBars(plot: uPlot, layers: Layers): void {
  if (!layers.open) return;
  const ground = groundOf(plot);
  const { ctx, bbox, ratio, x } = ground;
  ctx.save();
  ctx.fillStyle = hatch(ctx, 'panel', 0.75, 4, ratio);
  ctx.fillRect(x(layers.open.from), bbox.top, widthOf(ground, layers.open), bbox.height);
  ctx.restore();
}

const widthOf = ({ x, ratio }: Ground, span: Span): number =>
  Math.max(2 * ratio, x(span.to) - x(span.from));

function drawGaps({ ctx, bbox, ratio, x }: Ground, gaps: readonly Span[]): void {
  ctx.fillStyle = hatch(ctx, 'text-3', 0.3, 6, ratio);
  for (const gap of gaps) {
    const left = x(gap.from);
    ctx.fillRect(left, bbox.top, x(gap.to) - left, bbox.height);
  }
}

/** “no data” in the widest gap, and when the stream began. */
function drawWords(ground: Ground, layers: Layers): void {
  const { ctx, bbox, ratio, x } = ground;
  const wide = (gap: Span): number => x(gap.to) - x(gap.from);
  const widest = [...layers.gaps].sort((a, b) => wide(b) - wide(a))[0];
  if (layers.gapLabel && widest && wide(widest) > LABEL_ROOM * ratio) {
    write(ground, layers.gapLabel, (x(widest.from) + x(widest.to)) / 2, wide(widest));
  }
  if (!layers.start) return;
  const room = x(layers.start.at) - bbox.left;
  const half = ctx.measureText(layers.start.label).width / 2 + 8 * ratio;
  if (room > half * 2) write(ground, layers.start.label, x(layers.start.at) - half, room);
}

function write({ ctx, bbox, ratio }: Ground, words: string, middle: number, room: number): void {
  const half = Math.min(room, ctx.measureText(words).width + 6 * ratio) / 2;
  ctx.fillStyle = colour('panel');
  ctx.fillRect(middle - half, bbox.top + 3 * ratio, half * 2, 15 * ratio);
  ctx.fillStyle = colour('text-3');
  ctx.fillText(words, middle, bbox.top + 5 * ratio);
}
