/* How the platform does: events a second and their recent course, flow lag, latencies of its parts.
   Asked every five seconds, and not while the tab is hidden. */
import { api } from '../api';
import { Ring } from '../ring';
import { findTroubles, type Trouble } from '../troubles';
import type { Health } from '../types';

const POLL_MS = 5000;
/** Four minutes of samples: as many as the sparkline in the top bar has room for. */
const SAMPLES = 48;

class HealthStore {
  latest = $state.raw<Health | null>(null);
  /** What is not well, and since when; as last known while nothing answers. */
  troubles = $state.raw<readonly Trouble[]>([]);
  /** Counts samples; the ring itself is not reactive. */
  samples = $state(0);
  readonly eventRates = new Ring(SAMPLES);
  #known = false;

  start(): void {
    const poll = async (): Promise<void> => {
      if (!document.hidden) await this.#ask();
      setTimeout(() => void poll(), POLL_MS);
    };
    void poll();
  }

  async #ask(): Promise<void> {
    // Not answering is the connection chip's news; the figures then show that they are missing.
    this.latest = await api.getHealth().catch(() => null);
    if (this.latest)
      this.troubles = findTroubles(this.troubles, this.latest, Date.now(), !this.#known);
    this.#known ||= this.latest !== null;
    this.samples += 1;
    this.eventRates.set(this.samples, this.latest?.flow.events_per_second ?? NaN);
  }
}

export const health = new HealthStore();
