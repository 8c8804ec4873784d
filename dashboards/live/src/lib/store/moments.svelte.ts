/* The moments nobody has resolved, across all streams: those going on first, then by score. */
import { api } from '../api';
import type { Batch } from '../queue';
import type { Moment } from '../types';
import type { Listener } from './link.svelte';

const ACTIVE = new Set(['open', 'acknowledged', 'shelved']);

export const isActive = (moment: Moment): boolean => ACTIVE.has(moment.state);
export const isGoingOn = (moment: Moment): boolean => isActive(moment) && moment.ended_at === null;

/** Going on before ended, then the higher score, then the newer. */
export function compareMoments(a: Moment, b: Moment): number {
  return (
    Number(isGoingOn(b)) - Number(isGoingOn(a)) ||
    b.score - a.score ||
    Date.parse(b.started_at) - Date.parse(a.started_at)
  );
}

export class ActiveMoments implements Listener {
  readonly topics: string[] = [];
  list = $state.raw<Moment[]>([]);
  loaded = $state(false);
  /** The strongest moment going on in each stream. */
  byStream = $derived.by(() => {
    const strongest = new Map<string, Moment>();
    for (const moment of this.list)
      if (isGoingOn(moment) && !strongest.has(moment.stream_id))
        strongest.set(moment.stream_id, moment);
    return strongest;
  });

  async load(): Promise<void> {
    this.list = (await api.listOpenMoments()).filter(isActive).sort(compareMoments);
    this.loaded = true;
  }

  take(batch: Batch): void {
    if (!batch.moments.length) return;
    const news = new Map(batch.moments.map((moment) => [moment.moment_id, moment]));
    this.list = [...this.list.filter((moment) => !news.has(moment.moment_id)), ...news.values()]
      .filter(isActive)
      .sort(compareMoments);
  }

  async catchUp(since: number | null): Promise<void> {
    if (since !== null) await this.load();
  }
}

export const activeMoments = new ActiveMoments();
