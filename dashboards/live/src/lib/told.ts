/* Who was told of a moment: what came of its deliveries, a route after the other. */
import { clip, clock } from './format';
import { text } from './text';
import type { Delivery } from './types';

const NAME_MAX = 60;
/** More of one route are left out, the oldest first. */
const TIMES_MAX = 4;

/** “on call 20:32, 20:41 · mail failed”: the oldest first. */
export function listTold(
  deliveries: readonly Delivery[],
  routes: ReadonlyMap<string, string>,
): string {
  const told = new Map<string, string[]>();
  const oldestFirst = [...deliveries].sort(
    (a, b) => Date.parse(a.created_at) - Date.parse(b.created_at),
  );
  for (const { route_id, state, done_at, created_at } of oldestFirst) {
    const at = clock(Date.parse(done_at ?? created_at));
    const outcome = text.moment.toldState[state] ?? state;
    told.set(route_id, [...(told.get(route_id) ?? []), outcome ? `${outcome} (${at})` : at]);
  }
  return [...told]
    .map(([id, times]) => {
      const name = clip(routes.get(id) ?? id, NAME_MAX);
      return `${name} ${times.slice(-TIMES_MAX).join(', ')}`;
    })
    .join(' · ');
}
