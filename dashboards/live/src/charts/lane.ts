/* Where the names of moments stand above a chart. The stronger moment is placed first; one that
   does not fit beside it shrinks to its severity mark, and if even that would overlap, only its
   region on the chart remains. */

export interface LaneItem {
  id: string;
  /** Start and end in pixels of the plot. */
  from: number;
  to: number;
  score: number;
  /** Characters of the label. */
  length: number;
}

export interface LanePlace {
  id: string;
  left: number;
  width: number;
  compact: boolean;
}

const CHARACTER = 5.9;
const PADDING = 31;
const MARK = 24;
const AIR = 3;

export function placeLabels(items: readonly LaneItem[], width: number): LanePlace[] {
  const placed: LanePlace[] = [];
  const isFree = (left: number, wide: number): boolean =>
    placed.every((one) => left + wide + AIR <= one.left || one.left + one.width + AIR <= left);
  for (const item of [...items].sort((a, b) => b.score - a.score)) {
    const from = Math.max(0, item.from);
    const natural = Math.max(item.length * CHARACTER + PADDING, Math.min(item.to, width) - from);
    for (const [wide, compact] of [
      [natural, false],
      [MARK, true],
    ] as const) {
      const left = Math.max(0, Math.min(from, width - wide));
      if (wide > width || !isFree(left, wide)) continue;
      placed.push({ id: item.id, left, width: wide, compact });
      break;
    }
  }
  return placed;
}
