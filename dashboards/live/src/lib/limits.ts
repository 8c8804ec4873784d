/* Limits of a stream's measures, as its people wrote them into its metadata:
   {"limits": {"encoder_fps": {"low": 58.6}, "chat_rate": {"high": 500}}}. */

export interface Limit {
  side: 'low' | 'high';
  value: number;
}

/** What cannot be read is no limit. */
export function limitsOf(metadata: unknown, name: string): Limit[] {
  const limits = field(field(metadata, 'limits'), name);
  return (['low', 'high'] as const).flatMap((side) => {
    const value = field(limits, side);
    return typeof value === 'number' && Number.isFinite(value) ? [{ side, value }] : [];
  });
}

const field = (from: unknown, name: string): unknown =>
  typeof from === 'object' && from !== null && Object.hasOwn(from, name)
    ? (from as Record<string, unknown>)[name]
    : undefined;
