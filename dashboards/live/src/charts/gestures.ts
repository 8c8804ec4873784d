/* Moving through time on a chart: shift and drag, control and wheel, two fingers. What the pointers
   do is turned into drafts of the span; the chart says where a time lies. */
import type { Span } from '../lib/minutes';
import type { CursorGroup } from './cursor.svelte';

/** A wheel's notch makes a tenth less or more; a pause this long ends the gesture. */
const NOTCH = 1 / 1000;
const WHEEL_END_MS = 250;

/** The span in which `time` lies `part` of the way along, so wide. */
export function spanAround(time: number, part: number, width: number): Span {
  const from = time - part * width;
  return { from, to: from + width };
}

interface Finger {
  id: number;
  part: number;
}

export class Gestures {
  #fingers: Finger[] = [];
  /** The times that were first under the fingers, or under the mouse that pans. */
  #held: number[] = [];
  #wheelTimer: ReturnType<typeof setTimeout> | undefined;
  #isMoving = false;

  /** `part` tells how far along the plot a pointer is. */
  constructor(
    private readonly group: () => CursorGroup,
    private readonly part: (clientX: number) => number,
  ) {}

  get isMoving(): boolean {
    return this.#isMoving;
  }

  /** A pointer came down; true when it takes part in a gesture that moves through time. */
  down(event: PointerEvent): boolean {
    const travel = this.group().travel;
    if (!travel) return false;
    if (event.pointerType === 'mouse') {
      if (!event.shiftKey) return false;
      this.#fingers = [{ id: event.pointerId, part: this.part(event.clientX) }];
    } else {
      this.#fingers.push({ id: event.pointerId, part: this.part(event.clientX) });
      if (this.#fingers.length !== 2) return false;
    }
    this.#held = this.#fingers.map((finger) => this.#timeAt(finger.part));
    this.#isMoving = true;
    return true;
  }

  /** True while a gesture goes on: the pointer is not a cursor then. */
  move(event: PointerEvent): boolean {
    const finger = this.#fingers.find((one) => one.id === event.pointerId);
    if (finger) finger.part = this.part(event.clientX);
    if (!this.#isMoving) return false;
    this.group().travel?.draft(this.#span());
    return true;
  }

  up(event: PointerEvent): boolean {
    this.#fingers = this.#fingers.filter((one) => one.id !== event.pointerId);
    if (!this.#isMoving) return false;
    this.#isMoving = false;
    this.#fingers = [];
    this.group().travel?.commit();
    return true;
  }

  wheel(event: WheelEvent): void {
    const { travel } = this.group();
    if (!travel || !event.ctrlKey) return;
    event.preventDefault();
    const part = this.part(event.clientX);
    const { from, to } = this.group().view();
    const width = (to - from) * Math.exp(event.deltaY * NOTCH);
    travel.draft(spanAround(this.#timeAt(part), part, width));
    clearTimeout(this.#wheelTimer);
    this.#wheelTimer = setTimeout(() => travel.commit(), WHEEL_END_MS);
  }

  #timeAt(part: number): number {
    const { from, to } = this.group().view();
    return from + part * (to - from);
  }

  #span(): Span {
    const { from, to } = this.group().view();
    const [a, b] = this.#fingers;
    const [first = 0, second = 0] = this.#held;
    if (!a) return { from, to };
    if (!b) return spanAround(first, a.part, to - from);
    // Both times stay under their fingers; fingers on one another say nothing of a width.
    const apart = b.part - a.part;
    const width = Math.abs(apart) > 0.02 ? (second - first) / apart : to - from;
    return spanAround(first, a.part, width > 0 ? width : to - from);
  }
}
