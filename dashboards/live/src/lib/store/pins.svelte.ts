/* The streams that a person pinned to the top. Kept in this browser: the server knows keys, and
   not yet the people behind them. */
import { recall, store } from '../settings.svelte';

const KEY = 'telemetra.pins';
/** More than this on top is no top; the oldest gives way. */
export const PINS_MAX = 50;

/** What is stored, whatever it is, as names. */
export function readPins(stored: string | null): string[] {
  try {
    const names: unknown = JSON.parse(stored ?? '[]');
    if (!Array.isArray(names)) return [];
    return names.filter((name): name is string => typeof name === 'string').slice(-PINS_MAX);
  } catch {
    return [];
  }
}

/** Pin a stream, or let it go. */
export const togglePin = (pins: readonly string[], id: string): string[] =>
  pins.includes(id) ? pins.filter((one) => one !== id) : [...pins, id].slice(-PINS_MAX);

class Pins {
  #list = $state.raw(readPins(recall(KEY)));
  ids = $derived<ReadonlySet<string>>(new Set(this.#list));

  constructor() {
    // Another tab of this browser pinned something.
    addEventListener('storage', ({ key, newValue }) => {
      if (key === KEY) this.#list = readPins(newValue);
    });
  }

  toggle(id: string): void {
    this.#list = togglePin(this.#list, id);
    store(KEY, JSON.stringify(this.#list));
  }
}

export const pins = new Pins();
