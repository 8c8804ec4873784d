/* Commands as the page tells of them: the stages of a life, and what a live result changes. Pure. */
import type { Command, CommandResult, CommandState, QueuedCommand } from './api-devices';
import { wordValue } from './device-values';

/** “target 80, side left” */
export const wordParameters = (parameters: Readonly<Record<string, unknown>>): string =>
  Object.entries(parameters)
    .map(([name, value]) => `${name} ${wordValue(value)}`)
    .join(', ');

const ORDER: readonly CommandState[] = ['queued', 'sent', 'acknowledged', 'running'];
export const STATES: readonly CommandState[] = [
  ...ORDER,
  'succeeded',
  'failed',
  'timed_out',
  'cancelled',
];

export const hasEnded = ({ state }: Pick<Command, 'state'>): boolean => !ORDER.includes(state);

/** A square a stage: reached, going on, or to come. */
export type StageMark = 'done' | 'now' | 'next';
export interface Stages {
  marks: StageMark[];
  tone: 'going' | 'good' | 'bad' | 'off';
}

export function stagesOf(command: Command): Stages {
  const reached = [true, command.sent_at, command.acknowledged_at, command.running_at].findLastIndex(
    Boolean,
  );
  const { state } = command;
  if (state === 'succeeded') return { marks: Array<StageMark>(5).fill('done'), tone: 'good' };
  const last = hasEnded(command) ? reached : Math.max(reached, ORDER.indexOf(state));
  const marks = Array.from({ length: 5 }, (_, place): StageMark => {
    if (place > last) return 'next';
    return place === last && !hasEnded(command) ? 'now' : 'done';
  });
  if (!hasEnded(command)) return { marks, tone: 'going' };
  return { marks, tone: state === 'cancelled' ? 'off' : 'bad' };
}

export interface Step {
  state: CommandState;
  at: number;
}

/** The stages that a command went through, with their times. */
export function listSteps(command: Command): Step[] {
  const times: [CommandState, string | null][] = [
    ['queued', command.created_at],
    ['sent', command.sent_at],
    ['acknowledged', command.acknowledged_at],
    ['running', command.running_at],
  ];
  if (hasEnded(command)) times.push([command.state, command.ended_at]);
  return times.flatMap(([state, at]) => (at === null ? [] : [{ state, at: Date.parse(at) }]));
}

/** From when it was asked for to its end, or until now. */
export const tookMs = ({ created_at, ended_at }: Command, now: number): number =>
  Math.max(0, (ended_at === null ? now : Date.parse(ended_at)) - Date.parse(created_at));

function rank(state: CommandState): number {
  const place = ORDER.indexOf(state);
  return place < 0 ? ORDER.length : place;
}

/** Whether it waits for its confirmation; one that has ended does no more. */
export const isHeld = (command: Command): boolean => command.held && !hasEnded(command);

/** What was read, unless a later stage was heard while the answer was on its way: then only the
    times are taken from it. */
export function catchUp(known: Command, read: Command): Command {
  if (rank(read.state) >= rank(known.state)) return read;
  const { sent_at, acknowledged_at, running_at } = read;
  return {
    ...known,
    sent_at: sent_at ?? known.sent_at,
    acknowledged_at: acknowledged_at ?? known.acknowledged_at,
    running_at: running_at ?? known.running_at,
  };
}

/** A command after a live result about it; an older word changes nothing. */
export function applyResult<T extends Command>(command: T, said: CommandResult, at: string): T {
  if (hasEnded(command) || rank(said.state) < rank(command.state)) return command;
  const { state, status } = said;
  const changed: T = {
    ...command,
    state,
    status,
    message: said.message ?? command.message,
    details: said.details ?? command.details,
  };
  if (hasEnded(changed)) return { ...changed, held: false, ended_at: changed.ended_at ?? at };
  const name = `${state}_at` as 'sent_at' | 'acknowledged_at' | 'running_at';
  return state === 'queued' ? changed : { ...changed, [name]: changed[name] ?? at };
}

/** What releases a command that is held; null for one that is not. */
export const confirmationOf = (command: QueuedCommand): QueuedCommand['confirmation'] =>
  command.held ? command.confirmation : null;
