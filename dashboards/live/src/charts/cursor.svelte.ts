/* The cursor all charts of a view share: a time, whether it is held, and a span being marked.
   uPlot's own cursor sync knows neither holding nor keys nor touch, so each chart follows this
   instead. */
import { MINUTE } from '../lib/format';
import { floorMinute, type Span } from '../lib/minutes';

export class CursorGroup {
  time = $state<number | null>(null);
  held = $state(false);
  marked = $state.raw<[number, number] | null>(null);

  constructor(
    private readonly view: () => Span,
    private readonly zoom: (a: number, b: number) => void,
  ) {}

  /** Follow the pointer, unless the cursor is held. */
  hover(time: number): void {
    if (!this.held) this.time = this.#snap(time);
  }

  leave(): void {
    if (!this.held) this.time = null;
  }

  toggleHold(time: number): void {
    this.held = !this.held;
    this.time = this.#snap(time);
  }

  holdAt(time: number): void {
    this.held = true;
    this.time = this.#snap(time);
  }

  release(): void {
    this.held = false;
    this.time = null;
  }

  /** Move by whole minutes, from the newest when there is no cursor yet. */
  step(minutes: number): void {
    const newest = floorMinute(this.view().to - 1);
    this.holdAt(this.time === null ? newest : this.time + minutes * MINUTE);
  }

  mark(a: number, b: number): void {
    this.marked = [a, b];
  }

  endMark(): void {
    const marked = this.marked;
    this.marked = null;
    if (marked) this.zoom(...marked);
  }

  #snap(time: number): number {
    const { from, to } = this.view();
    const minute = Math.round(time / MINUTE) * MINUTE;
    return Math.min(floorMinute(to - 1), Math.max(floorMinute(from), minute));
  }
}
