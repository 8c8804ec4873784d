/* A list of deliveries as the address filters it; it is read soon after a moment changed, too. */
import { alertsApi, type Delivery, type DeliveryFilter } from '../api-alerts';
import type { Batch } from '../queue';
import type { Listener } from './link.svelte';
import { PagedList } from './paged-list.svelte';

/** The alerts process decides within a second of a change; then there is something to see. */
const AFTER_MOMENT_MS = 1500;

export type Wanted = Pick<DeliveryFilter, 'state' | 'rule_id' | 'route_id' | 'moment_id'>;

export class DeliveryList extends PagedList<Delivery> implements Listener {
  readonly topics: string[] = [];

  constructor(
    readonly wanted: Wanted,
    readonly limit: number,
  ) {
    super(AFTER_MOMENT_MS);
  }

  take(batch: Batch): void {
    if (batch.moments.length) this.loadSoon();
  }

  async catchUp(): Promise<void> {
    await this.load();
  }

  protected override ask(cursor?: string) {
    return alertsApi.listDeliveries({ ...this.wanted, limit: this.limit, cursor });
  }

  protected override idOf(row: Delivery): string {
    return row.delivery_id;
  }
}
