/* Commands of devices on the axis of a session: as they stood at a time, and which belong to what is
   shown. Pure. */
import type { Command } from './api-devices';
import type { Span } from './minutes';

export type Outcome = 'going' | 'good' | 'bad' | 'off';

const endOf = ({ ended_at }: Command): number => (ended_at === null ? Infinity : Date.parse(ended_at));

/** How it was at that time: what came later was not known yet. */
export function outcomeAt(command: Command, at: number): Outcome {
  if (endOf(command) > at) return 'going';
  if (command.state === 'succeeded') return 'good';
  return command.state === 'cancelled' ? 'off' : 'bad';
}

export interface PlacedCommand {
  command: Command;
  from: number;
  /** Where it ends; of one that goes on, where it has come to. */
  end: number;
  /** As far as it needs room, for its words too. */
  to: number;
}

/** Those in view, in order, each with `least` of room. Of too many the newest. */
export function placeCommands(
  commands: readonly Command[],
  span: Span,
  now: number,
  least: number,
  most: number,
): PlacedCommand[] {
  return commands
    .map((command) => {
      const from = Date.parse(command.created_at);
      const end = Math.max(from, Math.min(endOf(command), Math.max(now, from)));
      return { command, from, end, to: Math.max(end, from + least) };
    })
    .filter(({ from, command }) => from < span.to && endOf(command) >= span.from)
    .sort((a, b) => a.from - b.from)
    .slice(-most);
}

/** From when on it is to be read again: what is known to have ended does not change. */
export const readFrom = (known: readonly Command[], begin: number): number =>
  known.reduce(
    (from, command) => (command.ended_at === null ? Math.min(from, Date.parse(command.created_at)) : from),
    Math.max(begin, ...known.map((command) => Date.parse(command.created_at))),
  );

/** All that are known, as they were last read, in order. */
export function joinCommands(known: readonly Command[], read: readonly Command[]): Command[] {
  const all = new Map([...known, ...read].map((command) => [command.command_id, command]));
  return [...all.values()].sort((a, b) => Date.parse(a.created_at) - Date.parse(b.created_at));
}
