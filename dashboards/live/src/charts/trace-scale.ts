/* Where a trace puts its slots and the top of its scale. */
import type { TokenName } from './palette';

export interface TraceLine {
  values: Float32Array;
  ink: TokenName;
}

export const GUTTER = 38;
export const RIGHT = 8;
/** A limit further away than this many times the highest value would press the line flat: it is
    then named at the upper edge, with an arrow. */
const REACH = 2.5;

/** The top of the scale, and whether the limit lies within. */
export function traceScale(
  lines: readonly TraceLine[],
  usual: number | null,
  limit: number | null,
): { top: number; shows: boolean } {
  let high = usual ?? 0;
  for (const { values } of lines)
    for (const value of values) if (value > high) high = value;
  const shows = limit !== null && high > 0 && limit <= high * REACH;
  return { top: (shows ? Math.max(high, limit) : high) * 1.1 || 1, shows };
}

export function slotLeft(slot: number, slots: number, width: number): number {
  return GUTTER + ((slot + 1) / slots) * (width - GUTTER - RIGHT);
}

export function slotUnder(x: number, slots: number, width: number): number {
  const part = (x - GUTTER) / (width - GUTTER - RIGHT);
  return Math.min(slots - 1, Math.max(0, Math.round(part * slots) - 1));
}
