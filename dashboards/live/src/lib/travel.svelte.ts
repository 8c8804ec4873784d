/* The range that the address names, and the ways to another one: steps that `z` takes back, and
   drafts while a gesture goes on, of which only the last becomes a step. */
import type { Travel } from '../charts/cursor.svelte';
import { floorMinute, type Span } from './minutes';
import { placeRange, readRange, scaleRange, shiftRange, spanOf, writeRange, zoomRange } from './range';
import type { Range } from './range';
import { router } from './router.svelte';
import { clock } from './store/clock.svelte';

/** Keys held down, or a wheel turned on, are one step as long as they do not pause this long. */
const ONE_STEP_MS = 900;

export class TimeTravel implements Travel {
  #draft = $state.raw<Range | null>(null);
  #stepAt = -Infinity;
  readonly range: Range = $derived.by(() => this.#draft ?? readRange(router.query));
  /** Of its own, so that a second changes nothing. */
  readonly #minute = $derived.by(() => floorMinute(clock.now));
  readonly span: Span = $derived.by(() => spanOf(this.range, this.#minute));

  go(range: Range, isStep = true): void {
    this.#draft = null;
    router.set(writeRange(range), isStep);
  }

  zoom(a: number, b: number): void {
    this.go(zoomRange(a, b));
  }

  shift(by: -1 | 1): void {
    if (by > 0 && this.range.live) return;
    this.go(shiftRange(this.range, by, clock.now));
  }

  follow(): void {
    const isLive = this.range.live;
    this.go({ live: true, ms: this.range.ms, to: null }, !isLive);
  }

  scale(factor: number, at: number | null): void {
    const next = scaleRange(this.range, factor, at, clock.now);
    if (next.ms === this.range.ms) return;
    const now = performance.now();
    this.go(next, now - this.#stepAt > ONE_STEP_MS);
    this.#stepAt = now;
  }

  draft(span: Span | null): void {
    this.#draft = span && placeRange(span.from, span.to - span.from, clock.now);
  }

  commit(): void {
    if (this.#draft) this.go(this.#draft);
  }
}
