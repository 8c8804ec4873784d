/* What takes a change of a moment back: the wishes that lead from where it is now to where it was.
   Comments are not taken back: what was said was said. */
import type { Moment, MomentWish } from './types';

type Life = Pick<Moment, 'state' | 'shelved_until' | 'label'>;

/** In the order in which they are to be sent; none where nothing is left to take back. */
export function listUndo(before: Life, after: Life, now: number): MomentWish[] {
  const wishes = isSame(before, after) ? [] : listMoves(before, after, now);
  if (before.label === after.label) return wishes;
  const [first, ...rest] = wishes;
  return [{ ...first, label: before.label }, ...rest];
}

const isSame = (one: Life, other: Life): boolean =>
  one.state === other.state && one.shelved_until === other.shelved_until;

function listMoves(before: Life, after: Life, now: number): MomentWish[] {
  // Out of what is resolved only one way leads.
  const out: MomentWish[] = after.state === 'resolved' ? [{ action: 'reopen' }] : [];
  switch (before.state) {
    case 'open':
      return [{ action: 'reopen' }];
    case 'acknowledged':
      return [...out, { action: 'acknowledge' }];
    case 'resolved':
      return [{ action: 'resolve' }];
    default:
      return [...out, ...shelveAgain(before.shelved_until, now)];
  }
}

/** A shelf whose time is over meanwhile would have given the moment back. */
function shelveAgain(until: string | null, now: number): MomentWish[] {
  if (until === null) return [{ action: 'mute' }];
  return Date.parse(until) > now ? [{ action: 'shelve', until }] : [{ action: 'reopen' }];
}
