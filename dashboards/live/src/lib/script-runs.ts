/* Runs of scripts as the page tells of them: what a live word changes, how far one is, and how its
   steps look. Pure. */
import type {
  CheckedScript,
  RunState,
  ScriptRun,
  ScriptRunDetail,
  ScriptStep,
  StepState,
} from './api-scripts';

const ORDER: readonly RunState[] = ['queued', 'running'];
/** A worker takes a run within a second; after this nobody seems to be there. */
const WORKER_MS = 4000;

export const hasEnded = ({ state }: Pick<ScriptRun, 'state'>): boolean => !ORDER.includes(state);

const rank = ({ state, steps_done }: ScriptRun): number =>
  (hasEnded({ state }) ? ORDER.length : ORDER.indexOf(state)) * 1e6 + steps_done;

/** Whether what was heard is not older than what is known. */
export const isNewer = (said: ScriptRun, known: ScriptRun): boolean => rank(said) >= rank(known);

/** What is known after a word about it; an older one changes nothing. */
export function applyRun<T extends ScriptRun>(known: T, said: ScriptRun): T {
  if (!isNewer(said, known)) return known;
  const asked = said.abort_asked_at ?? known.abort_asked_at;
  const by = said.abort_asked_by ?? known.abort_asked_by;
  return { ...known, ...said, abort_asked_at: asked, abort_asked_by: by };
}

/** A run in full after a word about it, which tells of its steps only how many are done. */
export function applyToDetail(known: ScriptRunDetail, said: ScriptRun): ScriptRunDetail {
  const run = applyRun(known, said);
  if (run === known) return known;
  return { ...run, steps: run.steps.map((step) => ({ ...step, state: stateOf(step, run) })) };
}

function stateOf(step: ScriptStep, run: ScriptRun): StepState {
  if (step.state !== 'waiting' && step.state !== 'running') return step.state;
  if (run.current?.number === step.number) return 'running';
  // How it ended is read; until then it is shown as going on.
  return step.number <= run.steps_done ? 'running' : step.state;
}

/** Of one that ended, with all that became of its steps, nothing more is to be read. */
export const isSettled = (run: ScriptRunDetail): boolean =>
  hasEnded(run) && run.steps.every(({ state }) => state !== 'running' && state !== 'waiting');

/** From when it began to its end, or until now; null before. */
export function tookMs({ started_at, ended_at }: ScriptRun, now: number): number | null {
  if (started_at === null) return null;
  return Math.max(0, (ended_at === null ? now : Date.parse(ended_at)) - Date.parse(started_at));
}

/** How long a step took or takes; null where it did not begin. */
export function stepTookMs(step: ScriptStep, run: ScriptRun, now: number): number | null {
  if (step.took_ms !== null) return step.took_ms;
  if (run.current?.number !== step.number || hasEnded(run)) return null;
  return Math.max(0, now - Date.parse(run.current.began_at));
}

/** How much of it is done, from 0 to 1. */
export const partDone = ({ steps_done, steps_total, state }: ScriptRun): number =>
  state === 'succeeded' ? 1 : steps_total ? Math.min(1, steps_done / steps_total) : 0;

/** Whether nobody takes it up. */
export const waitsForWorker = ({ state, created_at }: ScriptRun, now: number): boolean =>
  state === 'queued' && now - Date.parse(created_at) > WORKER_MS;

/** The lines whose commands are dangerous; the words of such a step begin with the command. */
export function linesOf({ dangerous, steps }: CheckedScript): number[] {
  const isDangerous = ({ kind, text }: ScriptStep): boolean =>
    kind === 'command' && dangerous.some((name) => text === name || text.startsWith(`${name} `));
  return steps.filter(isDangerous).map(({ line }) => line);
}
