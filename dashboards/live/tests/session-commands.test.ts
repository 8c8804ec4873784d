import { describe, expect, test } from 'vitest';
import type { Command } from '../src/lib/api-devices';
import { joinCommands, outcomeAt, placeCommands, readFrom } from '../src/lib/session-commands';

describe('commands on the axis', () => {
  const at = (second: number): string => new Date(second * 1000).toISOString();
  const ask = (id: string, from: number, to: number | null, state: Command['state']): Command =>
    ({ command_id: id, created_at: at(from), ended_at: to === null ? null : at(to), state }) as Command;
  const good = ask('good', 10, 14, 'succeeded');
  const bad = ask('bad', 20, 50, 'timed_out');
  const off = ask('off', 22, 23, 'cancelled');
  const going = ask('going', 60, null, 'running');

  test('are shown as they were known at the playhead', () => {
    const outcomes = (second: number) =>
      [good, bad, off, going].map((command) => outcomeAt(command, second * 1000));
    expect(outcomes(12)).toEqual(['going', 'going', 'going', 'going']);
    expect(outcomes(30)).toEqual(['good', 'going', 'off', 'going']);
    expect(outcomes(90)).toEqual(['good', 'bad', 'off', 'going']);
  });

  test('stand from when they were asked for to their end, or as far as it has come', () => {
    const span = { from: 12_000, to: 80_000 };
    const placed = placeCommands([going, bad, good], span, 70_000, 5000, 9);
    expect(placed.map(({ command, from, end, to }) => [command.command_id, from, end, to])).toEqual([
      ['good', 10_000, 14_000, 15_000],
      ['bad', 20_000, 50_000, 50_000],
      ['going', 60_000, 70_000, 70_000],
    ]);
    // What comes later than the playhead has not begun to run.
    expect(placeCommands([going], span, 30_000, 5000, 9)[0]).toMatchObject({ end: 60_000 });
    expect(placeCommands([good], { from: 15_000, to: 80_000 }, 70_000, 5000, 9)).toEqual([]);
    expect(placeCommands([good, bad], span, 70_000, 0, 1).map(({ from }) => from)).toEqual([20_000]);
  });

  test('are read again from the oldest that has not ended', () => {
    expect(readFrom([], 5000)).toBe(5000);
    expect(readFrom([good, bad], 5000)).toBe(20_000);
    expect(readFrom([going, ask('later', 70, 71, 'failed')], 5000)).toBe(60_000);
    const ended = ask('going', 60, 65, 'succeeded');
    expect(joinCommands([good, going], [ended])).toEqual([good, ended]);
  });
});
