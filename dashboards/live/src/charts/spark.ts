/* Draws a sparkline: one hour of a rate on a small canvas. Holes are hatched, an open moment is
   a tinted region with a cap, the newest value a dot. */
import type { Severity } from '../lib/format';
import { colour, fade, hatch, type TokenName } from './palette';
import { measuredScale, sparkScale } from './spark-scale';

export interface SparkStyle {
  ink: TokenName;
  /** The moment going on: how many slots before the end it began. */
  moment: { slots: number; severity: Severity } | null;
  /** A measured value: zero is one value among others, and the line fills the height. */
  isMeasured?: boolean;
}

const AIR = 2.5;

export function drawSpark(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
  values: Float32Array,
  style: SparkStyle,
): void {
  const ratio = Math.min(2, devicePixelRatio || 1);
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext('2d');
  if (!pen || width < 8) return;
  pen.scale(ratio, ratio);
  const known = values.reduce((n, value) => n + Number(!Number.isNaN(value)), 0);
  // One value is no course yet.
  const scaleOf = style.isMeasured ? measuredScale : sparkScale;
  const scale = known > 1 ? scaleOf(values) : null;
  if (!scale) return drawEmpty(pen, width, height);
  const last = values.length - 1;
  const x = (slot: number): number => 1.5 + (slot / last) * (width - 5);
  const y = (value: number): number =>
    height - AIR - ((value - scale[0]) / (scale[1] - scale[0])) * (height - 2 * AIR);

  if (style.moment) {
    const left = x(Math.max(0, last - style.moment.slots));
    const name = `sev-${style.moment.severity}` as const;
    pen.fillStyle = fade(name, 0.24);
    pen.fillRect(left, 0, width - left, height);
    pen.fillStyle = colour(name);
    pen.fillRect(left, 0, width - left, 1.5);
  }
  pen.lineWidth = 1.3;
  pen.lineJoin = 'round';
  for (const [from, to, known] of runs(values)) {
    if (!known) {
      // Before the first value nothing is missing: the stream is younger than the line.
      if (from === 0) continue;
      const left = x(from - 0.5);
      const lines = hatch(pen, 'text-3', 0.34, 4, ratio);
      // The pen is scaled to CSS pixels; the tile is made of device pixels.
      if (typeof lines !== 'string') lines.setTransform(new DOMMatrix().scale(1 / ratio));
      pen.fillStyle = lines;
      pen.fillRect(left, 2, Math.max(3, x(Math.min(last, to - 0.5)) - left), height - 4);
      continue;
    }
    const line = new Path2D();
    for (let slot = from; slot < to; slot++) line.lineTo(x(slot), y(values[slot]!));
    const area = new Path2D(line);
    area.lineTo(x(to - 1), height);
    area.lineTo(x(from), height);
    // Of a measured value the area says nothing.
    if (!style.isMeasured) {
      pen.fillStyle = fade(style.ink, 0.13);
      pen.fill(area);
    }
    pen.strokeStyle = colour(style.ink);
    pen.stroke(line);
  }
  const newest = values[last]!;
  if (Number.isNaN(newest)) return;
  pen.beginPath();
  pen.arc(x(last), y(newest), 1.9, 0, 7);
  pen.fillStyle = colour(style.ink);
  pen.fill();
}

function drawEmpty(pen: CanvasRenderingContext2D, width: number, height: number): void {
  pen.strokeStyle = colour('line-strong');
  pen.setLineDash([2, 3]);
  pen.beginPath();
  pen.moveTo(1, height / 2);
  pen.lineTo(width - 1, height / 2);
  pen.stroke();
}

/** Alternating runs of known and missing slots, as [from, to, known]. */
export function runs(values: Float32Array): [number, number, boolean][] {
  const found: [number, number, boolean][] = [];
  values.forEach((value, slot) => {
    const known = !Number.isNaN(value);
    const run = found.at(-1);
    if (run && run[2] === known) run[1] = slot + 1;
    else found.push([slot, slot + 1, known]);
  });
  return found;
}
