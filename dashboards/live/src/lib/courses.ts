/* Courses: what the figures of the system page did in the last 15 minutes, one ring a figure, a
   value every five seconds. Memory is what it was from the start. */
import { Ring } from './ring';

export const EVERY_MS = 5000;
/** 15 minutes. */
export const LENGTH = 180;

/** Three minutes: what a page that was just opened has room for. */
export const LEAST_SHOWN = 36;

export const slotAt = (time: number): number => Math.floor(time / EVERY_MS);
/** The end of a slot: what was counted until then. */
export const slotTime = (slot: number): number => (slot + 1) * EVERY_MS;

export class Courses<Name extends string> {
  #rings = new Map<Name, Ring>();

  constructor(names: readonly Name[]) {
    for (const name of names) this.#rings.set(name, new Ring(LENGTH));
  }

  /** What is null or left out leaves a hole. */
  note(time: number, values: Partial<Record<Name, number | null>>): void {
    for (const [name, ring] of this.#rings) {
      ring.advance(slotAt(time));
      ring.set(slotAt(time), values[name] ?? NaN);
    }
  }

  of(name: Name): Ring {
    return this.#rings.get(name)!;
  }

  values(name: Name): Float32Array {
    return this.of(name).values;
  }

  /** How many slots are worth showing: since the first of these figures is known, three minutes at
      least. */
  shownSlots(names: readonly Name[]): number {
    const firsts = names
      .map((name) => this.values(name).findIndex((value) => !Number.isNaN(value)))
      .filter((first) => first >= 0);
    return Math.max(LEAST_SHOWN, LENGTH - Math.min(LENGTH, ...firsts));
  }

  /** The newest slots, without a copy. */
  newest(name: Name, slots: number): Float32Array {
    return this.values(name).subarray(LENGTH - slots);
  }

  latest(name: Name): number | null {
    const value = this.values(name)[LENGTH - 1]!;
    return Number.isNaN(value) ? null : value;
  }

  /** The middle of what it was before now; null until a minute is known. */
  usual(name: Name): number | null {
    return this.of(name).median(1, 60_000 / EVERY_MS);
  }
}
