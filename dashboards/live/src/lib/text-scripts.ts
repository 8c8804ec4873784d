/* The words of the script runner, which is loaded when it is asked for. */
import { plural } from './plurals';

const steps = (n: number): string => `${n} ${plural(n, 'step')}`;
const list = (names: readonly string[]): string =>
  names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;

export const scriptText = {
  loading: 'Loading scripts',

  editor: {
    title: 'Script',
    label: 'Script in YAML',
    hint: 'Commands, waits for what is measured, and pauses, one after the other. Kept in this browser.',
    faultAt: (line: number) => `Line ${line}`,
    faults: (n: number) => `${n} ${plural(n, 'fault')}`,
    example: 'Write the example',
    clear: 'Clear',
    cleared: 'The script was cleared.',
    added: (command: string) => `${command} is the last step of the script.`,
    empty: 'Grey is an example of what this device can do.',
    needed: 'Write a script first.',
    check: 'Check',
    checking: 'Checking…',
    run: 'Run',
    running: 'Starting…',
    keys: 'Ctrl+Enter runs',
    good: (n: number) => `No faults: ${steps(n)}.`,
    sends: (names: readonly string[]) =>
      `It sends ${list(names)}, which ${plural(names.length, 'is', 'are')} dangerous.`,
    plan: 'What it does',
    lookOnly: 'Your key may look. Running scripts needs the scope operate.',
    away: 'The device is gone. Commands wait for it until their deadlines.',
    going: 'A run goes on. The next can begin when it has ended.',
  },

  confirm: {
    title: (names: readonly string[]) =>
      `This script sends ${list(names)}, which ${plural(names.length, 'is', 'are')} dangerous`,
    lines: (lines: readonly number[]) =>
      `${plural(lines.length, 'Line', 'Lines')} ${list(lines.map(String))}. Running it confirms ${plural(lines.length, 'that command', 'those commands')}: nobody is asked again.`,
    why: 'Running it confirms them: nobody is asked again.',
    verb: 'Run and confirm',
    not: 'Do not run',
  },

  run: {
    states: {
      queued: 'queued',
      running: 'running',
      succeeded: 'succeeded',
      failed: 'failed',
      aborted: 'aborted',
    },
    stepStates: {
      waiting: 'to come',
      running: 'running',
      succeeded: 'succeeded',
      failed: 'failed',
      aborted: 'aborted',
      skipped: 'not done',
    },
    unnamed: 'Script without a name',
    by: (asker: string) => `by ${asker}`,
    done: (done: number, all: number) => `${done} of ${steps(all)}`,
    progress: 'Steps done',
    step: (n: number, all: number) => `Step ${n} of ${all}`,
    queued: 'It begins in a moment.',
    noWorker: 'It waits for a worker. Is “telemetra jobs” running?',
    steps: 'Steps',
    line: (line: number) => `line ${line}`,
    command: 'Command',
    toCommand: (text: string) => `Show the command “${text}” in the history`,
    abort: 'Abort',
    aborting: 'Aborting…',
    abortWhy: 'Abort ends it: a command under way is cancelled, nothing else begins. What was done stays done.',
    abortAsked: (who: string) => `${who} had it aborted. What is under way is being cancelled.`,
    again: 'Run again',
    take: 'Edit',
    taken: 'The script of this run is in the editor.',
    close: 'Put away',
    other: (name: string) => `${name} goes on`,
    look: 'Look at it',
  },

  runs: {
    title: 'Recent runs',
    columns: { time: 'Time', script: 'Script and outcome', steps: 'Steps', took: 'Took', actions: 'Actions' },
    none: 'No script was run on this device yet.',
    show: 'Show',
    hide: 'Hide',
    showOne: (name: string) => `Show the run of ${name}`,
    hideOne: (name: string) => `Hide the run of ${name}`,
    older: 'Load older',
  },
};
