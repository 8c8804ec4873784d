/* What was given in a stream, minute by minute: how often each kind, and how much in each currency.
   Nothing of it is told live, so the newest minutes are asked for again and again. */
import { chartApi, type TransactionMinute } from '../api-stream';
import { MINUTE } from '../format';
import type { Span } from '../minutes';
import { MinuteFeed, type Windows } from './feed.svelte';
import { Shared } from './shared';

const REFRESH_MS = 10_000;
/** A minute may be revised this long after it closed. */
const REVISION_MS = 6 * MINUTE;

export const KINDS = ['subscription', 'donation', 'bits', 'gift_sub', 'renewal', 'other'] as const;
export type Kind = (typeof KINDS)[number];

export interface GiftMinute {
  window_start: string;
  final: boolean;
  counts: Partial<Record<Kind, number>>;
  sums: Record<string, number>;
}

/** Rows of one kind and currency each, as one of each minute. */
export function gather(rows: readonly TransactionMinute[]): GiftMinute[] {
  const minutes = new Map<string, GiftMinute>();
  for (const { window_start, kind, currency, count, sum, final } of rows) {
    const minute = minutes.get(window_start) ?? { window_start, final, counts: {}, sums: {} };
    minute.counts[kind] = (minute.counts[kind] ?? 0) + count;
    if (currency && sum !== null) minute.sums[currency] = (minute.sums[currency] ?? 0) + sum;
    minute.final &&= final;
    minutes.set(window_start, minute);
  }
  return [...minutes.values()];
}

export class TransactionFeed extends MinuteFeed<GiftMinute, never> {
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly stream: string) {
    // All rows of a minute come together: what is read later is what holds.
    super(() => true);
    this.#refreshLater();
  }

  stop(): void {
    this.abort.abort();
    clearTimeout(this.#timer);
  }

  protected async readMinutes({ from, to }: Span): Promise<readonly GiftMinute[]> {
    const range = { start: from, end: to };
    return gather(await chartApi.listTransactionMinutes(this.stream, range, this.abort.signal));
  }

  protected readWindows(): Promise<Windows<never>> {
    return Promise.reject(new Error('transactions are kept by the minute only'));
  }

  #refreshLater(): void {
    this.#timer = setTimeout(() => {
      const now = Date.now();
      // A failure here costs one refresh; the next one asks for the same minutes.
      if (this.covered.some((span) => span.to > now) && !document.hidden)
        this.readMinutes({ from: now - REVISION_MS, to: now + MINUTE }).then(
          (rows) => this.add(rows),
          () => undefined,
        );
      this.#refreshLater();
    }, REFRESH_MS);
  }
}

export const transactionFeeds = new Shared((stream) => new TransactionFeed(stream));
