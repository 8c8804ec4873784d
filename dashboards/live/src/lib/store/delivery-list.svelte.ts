/* A list of deliveries as the address filters it: its first page is read again and again, and at
   once when a moment changes; older pages are read when they are asked for and stay. */
import { alertsApi, type Delivery, type DeliveryFilter } from '../api-alerts';
import { mergeDeliveries } from '../deliveries';
import { type Problem, toProblem } from '../problem';
import type { Batch } from '../queue';
import type { Listener } from './link.svelte';

/** The alerts process decides within a second of a change; then there is something to see. */
const AFTER_MOMENT_MS = 1500;

export type Wanted = Pick<DeliveryFilter, 'state' | 'rule_id' | 'route_id' | 'moment_id'>;

export class DeliveryList implements Listener {
  readonly topics: string[] = [];
  rows = $state.raw<Delivery[]>([]);
  loaded = $state(false);
  problem = $state.raw<Problem | null>(null);
  hasOlder = $state(false);
  loadingOlder = $state(false);

  #wanted: Wanted;
  #limit: number;
  /** Where the first page ends, as it was last read. */
  #first: string | null = null;
  /** Where the pages read so far end; undefined until an older one was asked for. */
  #cursor: string | null | undefined;
  #soon: ReturnType<typeof setTimeout> | undefined;

  constructor(wanted: Wanted, limit: number) {
    this.#wanted = wanted;
    this.#limit = limit;
  }

  async load(): Promise<void> {
    try {
      const page = await alertsApi.listDeliveries({ ...this.#wanted, limit: this.#limit });
      if (this.#cursor === undefined) {
        this.rows = page.data;
        this.hasOlder = page.next_cursor !== null;
        this.#first = page.next_cursor;
      } else {
        this.rows = mergeDeliveries(this.#keep(page.data), page.data);
      }
      [this.loaded, this.problem] = [true, null];
    } catch (error) {
      if (!this.loaded) this.problem = toProblem(error);
    }
  }

  async loadOlder(): Promise<void> {
    const cursor = this.#cursor === undefined ? this.#first : this.#cursor;
    if (this.loadingOlder || cursor === null) return;
    this.loadingOlder = true;
    try {
      const page = await alertsApi.listDeliveries({ ...this.#wanted, limit: this.#limit, cursor });
      this.#cursor = page.next_cursor;
      this.rows = mergeDeliveries(this.rows, page.data);
      this.hasOlder = page.next_cursor !== null;
    } catch (error) {
      this.problem = toProblem(error);
    } finally {
      this.loadingOlder = false;
    }
  }

  take(batch: Batch): void {
    if (batch.moments.length) this.loadSoon();
  }

  loadSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      void this.load();
    }, AFTER_MOMENT_MS);
  }

  async catchUp(): Promise<void> {
    await this.load();
  }

  /** What is as new as the first page and not on it does not fit the filter any more. */
  #keep(listed: readonly Delivery[]): Delivery[] {
    const oldest = listed.at(-1)?.created_at;
    return oldest === undefined ? [] : this.rows.filter((row) => row.created_at < oldest);
  }
}
