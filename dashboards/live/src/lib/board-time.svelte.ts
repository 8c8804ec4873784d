/* The time of a board: what its address says, else what the board begins with; and the ways to
   another one, as on a stream's page: steps that `z` takes back, and drafts while a gesture goes
   on. */
import type { Travel } from '../charts/cursor.svelte';
import { boardRange, writeBoardRange } from './board-range';
import type { Draft } from './boards';
import { floorMinute, type Span } from './minutes';
import { placeRange, scaleRange, shiftRange, spanOf, zoomRange, type Range } from './range';
import { router } from './router.svelte';
import { clock } from './store/clock.svelte';

type Start = Pick<Draft, 'range_s'>;

export class BoardTime implements Travel {
  #draft = $state.raw<Range | null>(null);
  readonly range: Range = $derived.by(() => this.#draft ?? boardRange(router.query, this.start()));
  readonly span: Span = $derived.by(() => spanOf(this.range, floorMinute(clock.now)));

  constructor(private readonly start: () => Start) {}

  go(range: Range, isStep = true): void {
    this.#draft = null;
    router.set(writeBoardRange(range, this.start()), isStep);
  }

  zoom(a: number, b: number): void {
    this.go(zoomRange(a, b));
  }

  shift(by: -1 | 1): void {
    if (by > 0 && this.range.live) return;
    this.go(shiftRange(this.range, by, clock.now));
  }

  follow(): void {
    this.go({ ...this.range, live: true, to: null }, !this.range.live);
  }

  scale(factor: number, at: number | null): void {
    const next = scaleRange(this.range, factor, at, clock.now);
    if (next.ms !== this.range.ms) this.go(next);
  }

  draft(span: Span | null): void {
    this.#draft = span && placeRange(span.from, span.to - span.from, clock.now);
  }

  commit(): void {
    if (this.#draft) this.go(this.#draft);
  }
}
