/* What a device measures, as the page tells it: values in words, where they lie in their range, and
   whether they are still renewed. Pure. */
import type { TelemetryType } from './api-devices';
import { clip, exact, measure, MISSING, span } from './format';
import type { Limit } from './limits';
import { deviceText } from './text-devices';

const t = deviceText.values;

const WORD_LENGTH = 48;
const GAPS_KEPT = 8;
const STALE_LEAST_MS = 10_000;
const MISSED_INTERVALS = 3;
/** A value this near to a limit, as a share of the range, is worth a look. */
const NEAR = 0.05;

/** A value in words, without its unit. What is measured keeps its digits when it is just whole. */
export function wordValue(value: unknown, type?: TelemetryType): string {
  if (value === undefined || value === null) return MISSING;
  if (typeof value === 'number')
    return Number.isInteger(value) && type?.data_type !== 'float' ? exact(value) : measure(value);
  if (typeof value === 'boolean') return value ? t.yes : t.no;
  return clip(typeof value === 'string' ? value : JSON.stringify(value), WORD_LENGTH);
}

/** Whether it is a figure, which is written large; longer things are not. */
export const isShort = (value: unknown): boolean =>
  typeof value !== 'object' && String(value).length <= 14;

/** A bound as people wrote it. */
export const wordBound = (value: number): string =>
  Math.abs(value) < 1e6 ? String(value).replace('-', '−') : measure(value);

/** What a value may be: “0 to 120”, “from 0”, “ok · warning · error”. */
export function wordRange(type: TelemetryType): string {
  const choices = type.enum;
  if (choices) return choices.map((one) => wordValue(one)).join(' · ');
  const { min = null, max = null } = type.range ?? {};
  if (min !== null && max !== null) return span(wordBound(min), wordBound(max));
  if (min !== null) return t.from(wordBound(min));
  return max === null ? '' : t.upTo(wordBound(max));
}

export const isNumeric = ({ data_type }: TelemetryType): boolean =>
  data_type === 'int' || data_type === 'float';

/** How often something comes, judged by the last few times: one pause or one burst moves nothing. */
export class Pace {
  #gaps: number[] = [];
  #last: number | null = null;

  note(at: number): void {
    const gap = this.#last === null ? 0 : at - this.#last;
    this.#last = at;
    if (gap <= 0) return;
    this.#gaps.push(gap);
    if (this.#gaps.length > GAPS_KEPT) this.#gaps.shift();
  }

  /** null: too little has come to say. */
  get interval(): number | null {
    if (this.#gaps.length < 2) return null;
    const sorted = [...this.#gaps].sort((a, b) => a - b);
    return sorted[sorted.length >> 1]!;
  }
}

/** From what age on a value counts as no longer renewed. What came once or twice is told when it
    changes: it is not late as long as its device is there. */
export const staleAfter = (interval: number | null): number =>
  interval === null ? Infinity : Math.max(STALE_LEAST_MS, MISSED_INTERVALS * interval);

export type ValueState = 'good' | 'near' | 'over' | 'stale' | 'none';

export interface Judged {
  state: ValueState;
  /** The limit that it is over or near. */
  limit: Limit | null;
}

/** How a value stands to the limits that people gave its channel. */
export function judge(
  value: unknown,
  type: TelemetryType,
  limits: readonly Limit[],
  isStale: boolean,
): Judged {
  if (value === undefined) return { state: 'none', limit: null };
  if (isStale) return { state: 'stale', limit: null };
  if (typeof value !== 'number') return { state: 'good', limit: null };
  const beyond = (limit: Limit): number =>
    limit.side === 'high' ? value - limit.value : limit.value - value;
  const over = limits.find((limit) => beyond(limit) > 0);
  if (over) return { state: 'over', limit: over };
  const { min = null, max = null } = type.range ?? {};
  const width = min !== null && max !== null ? max - min : 0;
  const near = limits.find((limit) => beyond(limit) >= -NEAR * width && width > 0);
  return near ? { state: 'near', limit: near } : { state: 'good', limit: null };
}

export interface Track {
  min: number;
  max: number;
  /** Percent from the left: where it is within its limits, and where the value is. */
  from: number;
  to: number;
  at: number | null;
}

/** The bar under a value; null without a range on both sides. */
export function trackOf(
  value: unknown,
  type: TelemetryType,
  limits: readonly Limit[],
): Track | null {
  const { min = null, max = null } = type.range ?? {};
  if (min === null || max === null || max <= min) return null;
  const place = (x: number): number =>
    Math.min(100, Math.max(0, ((x - min) / (max - min)) * 100));
  const bound = (side: Limit['side']): number | undefined =>
    limits.find((limit) => limit.side === side)?.value;
  return {
    min,
    max,
    from: place(bound('low') ?? min),
    to: place(bound('high') ?? max),
    at: typeof value === 'number' ? place(value) : null,
  };
}
