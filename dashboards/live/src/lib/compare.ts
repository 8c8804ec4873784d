/* What a stream is compared with, and how the address says it: `?compare=1d` is the same stream a
   day before, `?compare=bench-07` another one at the same time. */
import { MINUTE } from './format';

export const OFFSETS = [
  { key: '1h', ms: 60 * MINUTE },
  { key: '1d', ms: 1440 * MINUTE },
  { key: '7d', ms: 7 * 1440 * MINUTE },
] as const;

export type OffsetKey = (typeof OFFSETS)[number]['key'];
export type Compare = { offset: OffsetKey; ms: number } | { stream: string };

/** A stream may be called like an offset; a colon, which no name begins with, tells it apart. */
const STREAM = ':';

export function readCompare(word: string | null): Compare | null {
  if (!word) return null;
  const offset = OFFSETS.find((one) => one.key === word);
  if (offset) return { offset: offset.key, ms: offset.ms };
  return { stream: word.startsWith(STREAM) ? word.slice(1) : word };
}

export function writeCompare(compare: Compare | null): string | null {
  if (!compare) return null;
  if ('offset' in compare) return compare.offset;
  const isLikeOffset = OFFSETS.some((one) => one.key === compare.stream);
  return (isLikeOffset ? STREAM : '') + compare.stream;
}
