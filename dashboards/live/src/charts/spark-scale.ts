/* Which values lie at the bottom and the top of a sparkline. */

/** Less relative change than this would blow noise up to look like news. */
const FLAT = 0.12;
const MEASURED_FLAT = 0.01;
const MEASURED_AIR = 0.08;

function extremesOf(values: Float32Array): [number, number] | null {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low > high ? null : [low, high];
}

/** Of an amount: part of the way to zero, wider when nearly flat. */
export function sparkScale(values: Float32Array): [number, number] | null {
  const found = extremesOf(values);
  if (!found) return null;
  const high = found[1];
  let low = found[0] * 0.6;
  if (high - low < high * FLAT) low = high * (1 - FLAT);
  return high > low ? [low, high] : [low - 1, high + 1];
}

/** Of a measured value, for which zero is one among others: what there is with some air; one that
    stands still lies in the middle. */
export function measuredScale(values: Float32Array): [number, number] | null {
  const found = extremesOf(values);
  if (!found) return null;
  const [low, high] = found;
  const least = Math.max(Math.abs(low), Math.abs(high)) * MEASURED_FLAT || 1;
  const air = Math.max((high - low) * MEASURED_AIR, (least - (high - low)) / 2);
  return [low - air, high + air];
}
