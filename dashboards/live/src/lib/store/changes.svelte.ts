/* Changes that people make of moments: sent as of the version that was seen, told to every view,
   said in a notice, and taken back from it. Whoever is second is told what the first one did. */
import { api } from '../api';
import { momentsApi } from '../api-moments';
import { tellFaster } from '../life';
import { explainFailure } from '../moment';
import { toProblem } from '../problem';
import { momentName } from '../text';
import { page } from '../text-moments-page';
import type { Moment, MomentDetail, MomentWish } from '../types';
import { listUndo } from '../undo';
import { clock } from './clock.svelte';
import { link } from './link.svelte';
import { toasts } from './toasts.svelte';

/** Requests in flight when many are changed at once; a browser keeps six connections to a host. */
const AT_ONCE = 4;
/** Refused because somebody else changed it. */
const OVERTAKEN = [409, 412];

/** Called when something was taken back, so that it is shown again. */
type OnUndone = (moment: MomentDetail) => void;

class Changes {
  /** The one whose change is on its way. */
  busy = $state<string | null>(null);

  /** Do it, and offer to take it back. Null: it was not done, and a notice says why. */
  async act(
    moment: Moment,
    wish: MomentWish,
    onundone: OnUndone = () => undefined,
  ): Promise<MomentDetail | null> {
    if (this.busy !== null) return null;
    this.busy = moment.moment_id;
    try {
      const after = await send(moment, wish, moment.version);
      toasts.show({ words: word(moment, wish), undo: () => undo(moment, after, onundone) });
      return after;
    } catch (error) {
      toasts.show({ words: page.notDone(await explain(moment, error)), isFault: true });
      return null;
    } finally {
      this.busy = null;
    }
  }

  /** A comment goes beside whatever others did, and stays. Throws what can be shown. */
  comment(moment: Moment, words: string): Promise<MomentDetail> {
    return send(moment, { comment: words }, null);
  }

  /** Do the same with many, and offer to take all of it back. */
  async actOnAll(moments: readonly Moment[], wish: MomentWish): Promise<void> {
    const done: [Moment, MomentDetail][] = [];
    const waiting = [...moments];
    const work = async (): Promise<void> => {
      for (let moment = waiting.shift(); moment; moment = waiting.shift()) {
        try {
          done.push([moment, await send(moment, wish, moment.version)]);
        } catch (error) {
          // The others may still go; how many did not is said at the end.
          await explain(moment, error);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    const did = page.did[wish.action ?? ''] ?? '';
    const isAll = done.length === moments.length;
    toasts.show({
      words: isAll
        ? page.saidMany(done.length, did)
        : page.saidSome(done.length, moments.length, did),
      isFault: !isAll,
      undo: async () => {
        for (const [before, after] of done) await undo(before, after, () => undefined, true);
        toasts.show({ words: page.undone });
      },
    });
  }
}

async function send(
  moment: Moment,
  wish: MomentWish,
  version: number | null,
): Promise<MomentDetail> {
  const after = await momentsApi.change(moment, wish, version);
  link.tell(after);
  return after;
}

async function undo(
  before: Moment,
  after: MomentDetail,
  onundone: OnUndone,
  isQuiet = false,
): Promise<void> {
  let now = after;
  try {
    for (const wish of listUndo(before, after, clock.now)) now = await send(now, wish, now.version);
    if (!isQuiet) toasts.show({ words: page.undone });
    onundone(now);
  } catch (error) {
    toasts.show({ words: page.notUndone(await explain(now, error)), isFault: true });
  }
}

/** Why it was refused; where somebody was faster, the views learn what it is now. */
async function explain(seen: Moment, error: unknown): Promise<string> {
  const problem = toProblem(error);
  if (!OVERTAKEN.includes(problem.status)) return explainFailure(problem);
  try {
    const now = await api.getMoment(seen.moment_id);
    link.tell(now);
    return now.version === seen.version ? problem.detail : tellFaster(now, seen.version, clock.now);
  } catch {
    return page.fasterSomehow;
  }
}

function word(moment: Moment, wish: MomentWish): string {
  const did = page.did[wish.action ?? `${wish.label}`] ?? '';
  return page.said(momentName(moment.moment_type), moment.stream_id, did);
}

export const changes = new Changes();
