/* A fixed window over an endless row of numbered slots (minutes, samples). Holes are NaN.
   Memory never grows: writing ahead slides the window, writing behind it is ignored. */

export class Ring {
  readonly values: Float32Array;
  /** The number of the newest slot. */
  end = -Infinity;

  constructor(readonly size: number) {
    this.values = new Float32Array(size).fill(NaN);
  }

  /** Write a slot; tells whether anything is now otherwise. */
  set(slot: number, value: number): boolean {
    const slides = slot > this.end;
    if (slides) this.#slide(slot);
    const index = this.size - 1 - (this.end - slot);
    if (index < 0) return false;
    const rounded = Math.fround(value);
    const changed = slides || !Object.is(this.values[index], rounded);
    this.values[index] = rounded;
    return changed;
  }

  /** The value of a slot; NaN for a hole and outside of the window. */
  at(slot: number): number {
    return this.values[this.size - 1 - (this.end - slot)] ?? NaN;
  }

  /** Make `slot` the newest without giving it a value. */
  advance(slot: number): boolean {
    if (slot <= this.end) return false;
    this.#slide(slot);
    return true;
  }

  /** The middle of the finite values, without the newest `skip`; null when there are fewer than
      `least`. */
  median(skip: number, least: number): number | null {
    const known = this.values.slice(0, this.size - skip).filter((value) => !Number.isNaN(value));
    if (known.length < least) return null;
    known.sort();
    const middle = known.length >> 1;
    return known.length % 2 ? known[middle]! : (known[middle - 1]! + known[middle]!) / 2;
  }

  #slide(slot: number): void {
    const by = slot - this.end;
    if (by < this.size) this.values.copyWithin(0, by);
    this.values.fill(NaN, Math.max(0, this.size - by));
    this.end = slot;
  }
}
