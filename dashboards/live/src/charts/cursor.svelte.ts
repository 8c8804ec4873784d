/* The cursor all charts of a view share: a time, whether it is held, and a span being marked.
   uPlot's own cursor sync knows neither holding nor keys nor touch, so each chart follows this
   instead. Moving through time goes through it too: a gesture shows drafts, and its end is one step. */
import { floorStep, middleOf } from '../lib/course';
import { MINUTE } from '../lib/format';
import type { Span } from '../lib/minutes';

export interface Travel {
  /** While a gesture goes on; null when it is given up. */
  draft(span: Span | null): void;
  /** The gesture is over where its last draft was. */
  commit(): void;
  /** So many times as wide, around a time. */
  scale(factor: number, at: number | null): void;
}

export class CursorGroup {
  time = $state<number | null>(null);
  held = $state(false);
  marked = $state.raw<[number, number] | null>(null);
  /** The width of a point: the cursor stands on points, not between them. */
  step = $state(MINUTE);

  constructor(
    readonly view: () => Span,
    private readonly zoom: (a: number, b: number) => void,
    /** Without it the charts stay where they are. */
    readonly travel: Travel | null = null,
    private readonly onheld: (time: number | null) => void = () => undefined,
  ) {}

  /** Follow the pointer, unless the cursor is held. */
  hover(time: number): void {
    if (!this.held) this.time = this.#snap(time);
  }

  leave(): void {
    if (!this.held) this.time = null;
  }

  toggleHold(time: number): void {
    if (this.held) return this.release();
    this.holdAt(time);
  }

  holdAt(time: number): void {
    this.held = true;
    this.time = this.#snap(time);
    this.onheld(this.time);
  }

  release(): void {
    if (this.held) this.onheld(null);
    this.held = false;
    this.time = null;
  }

  /** Move by whole points, from the newest when there is no cursor yet. */
  move(points: number): void {
    const newest = this.#floor(this.view().to - 1);
    this.holdAt(this.time === null ? newest : this.time + points * this.step);
  }

  mark(a: number, b: number): void {
    this.marked = [a, b];
  }

  endMark(): void {
    const marked = this.marked;
    this.marked = null;
    if (marked) this.zoom(...marked);
  }

  /** Where on the axis a point of that time is drawn: a wide one in its middle. */
  place(time: number): number {
    return time + middleOf(this.step);
  }

  #floor(time: number): number {
    return floorStep(time, this.step);
  }

  #snap(time: number): number {
    const { from, to } = this.view();
    // A minute is a point, anything wider is an area.
    const point =
      this.step > MINUTE ? this.#floor(time) : Math.round(time / this.step) * this.step;
    return Math.min(this.#floor(to - 1), Math.max(this.#floor(from), point));
  }
}
