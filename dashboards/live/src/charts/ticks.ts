/* Where axes put their marks: round numbers upward, round times along. */
import { clock, date, MINUTE } from '../lib/format';

const DAY = 1440 * MINUTE;
const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880].map((m) => m * MINUTE);
/** For what is looked at by the second. */
const FINE_STEPS = [1, 2, 5, 10, 15, 30].map((second) => second * 1000).concat(TIME_STEPS);
const WEEK = 7 * DAY;
/** The epoch was a Thursday, and weeks begin on Mondays. */
const MONDAY = 4 * DAY;
const MONTHS = [1, 2, 3, 6];

/** About `wanted` round numbers between the two ends. */
export function numberTicks(low: number, high: number, wanted: number): number[] {
  const raw = (high - low) / Math.max(1, wanted);
  if (!(raw > 0) || !Number.isFinite(raw)) return [];
  const power = 10 ** Math.floor(Math.log10(raw));
  const lead = raw / power;
  const step = (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10) * power;
  const ticks: number[] = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-6; k++)
    ticks.push(Number((k * step).toPrecision(12)));
  return ticks;
}

/** Full minutes, hours, days, weeks or months in UTC, at least `gap` pixels apart; `fine`: seconds,
    too. */
export function timeTicks(
  from: number,
  to: number,
  width: number,
  gap = 84,
  fine = false,
): number[] {
  const wanted = (to - from) / Math.max(2, width / gap);
  const step = (fine ? FINE_STEPS : TIME_STEPS).find((one) => one >= wanted);
  if (step) return evenTicks(from, to, step, 0);
  if (wanted <= 2 * WEEK) return evenTicks(from, to, wanted <= WEEK ? WEEK : 2 * WEEK, MONDAY);
  return monthTicks(from, to, MONTHS.find((months) => months * 30 * DAY >= wanted) ?? 12);
}

function evenTicks(from: number, to: number, step: number, shift: number): number[] {
  const ticks: number[] = [];
  for (let at = Math.ceil((from - shift) / step) * step + shift; at <= to; at += step)
    ticks.push(at);
  return ticks;
}

function monthTicks(from: number, to: number, months: number): number[] {
  const ticks: number[] = [];
  const first = new Date(from);
  const begin = Math.floor(first.getUTCMonth() / months) * months;
  for (let k = begin; ; k += months) {
    const at = Date.UTC(first.getUTCFullYear(), k, 1);
    if (at > to) return ticks;
    if (at >= from) ticks.push(at);
  }
}

/** The time, and at midnight the date. */
export const timeLabel = (at: number): string => (at % DAY === 0 ? date(at) : clock(at));

/** Counts start at zero and leave a tenth of air above. */
export function countRange(high: number | null): [number, number] {
  return [0, high && high > 0 ? high * 1.1 : 1];
}

/** Measured values fill the chart with 8 % of air. */
export function measuredRange(low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [0, 1];
  const air = (high - low) * 0.08 || Math.abs(high) * 0.02 || 1;
  return [low - air, high + air];
}

/** Around zero, as wide as what is used, in halves, never beyond one. */
export function sentimentRange(low: number | null, high: number | null): [number, number] {
  const used = Math.max(Math.abs(low ?? 0), Math.abs(high ?? 0), 0.25);
  const edge = used <= 0.27 ? 0.3 : used <= 0.55 ? 0.6 : 1.05;
  return [-edge, edge];
}
