/* The moments nobody has resolved, across all streams: those going on first, then by score. */
import { api } from '../api';
import { boundActive, isActive, mergeMoments, takeList } from '../moment';
import type { Batch } from '../queue';
import type { Moment } from '../types';
import type { Listener } from './link.svelte';

const ACTIVE = ['open', 'acknowledged', 'shelved'] as const;
/** What a list brings, of each state 200. Where nobody resolves any, the oldest are let go. */
const ACTIVE_MAX = 200 * ACTIVE.length;
/** Resolved ones are remembered, so that an older message that comes late does not bring them back;
    more than this are not resolved while one is on its way. */
const RESOLVED_MAX = 1000;

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
  /** There may be more than are held here. */
  full = $derived(this.list.length >= ACTIVE_MAX);
  /** The strongest moment going on in each stream. */
  byStream = $derived.by(() => {
    const strongest = new Map<string, Moment>();
    for (const moment of this.list)
      if (isGoingOn(moment) && !strongest.has(moment.stream_id))
        strongest.set(moment.stream_id, moment);
    return strongest;
  });

  #known: readonly Moment[] = [];
  #deletions = 0;
  #loading: Promise<void> | null = null;

  /** Whoever asks while a list is on its way gets the same one. */
  load(): Promise<void> {
    this.#loading ??= this.#load().finally(() => (this.#loading = null));
    return this.#loading;
  }

  async #load(): Promise<void> {
    const [before, deletions] = [new Set(this.#known), this.#deletions];
    const listed = await api.listMomentsIn(ACTIVE);
    // A list that was on its way while a stream was deleted may still name its moments.
    if (this.#deletions !== deletions) return this.#load();
    this.#show(takeList(listed, this.#known, before));
    this.loaded = true;
  }

  take(batch: Batch): void {
    if (batch.deleted.length) {
      this.#deletions += 1;
      this.#show(this.#known.filter((moment) => !batch.deleted.includes(moment.stream_id)));
    }
    if (batch.moments.length) this.add(batch.moments);
  }

  /** Take moments from wherever they come: a message, the answer to an action. */
  add(moments: readonly Moment[]): void {
    this.#show(mergeMoments(this.#known, moments));
  }

  async catchUp(since: number | null): Promise<void> {
    if (since !== null) await this.#load();
  }

  #show(moments: readonly Moment[]): void {
    this.list = boundActive(moments.filter(isActive), ACTIVE_MAX).sort(compareMoments);
    const resolved = moments.filter((moment) => !isActive(moment));
    this.#known = [...resolved.slice(-RESOLVED_MAX), ...this.list];
  }
}

export const activeMoments = new ActiveMoments();
