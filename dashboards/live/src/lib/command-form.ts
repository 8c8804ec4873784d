/* The form of a command: its fields from the template, what is typed checked by it before it is
   sent, and what the server says about it afterwards. Pure. */
import type { Parameter } from './api-devices';
import { wordBound } from './device-values';
import { span } from './format';
import { readNumber, sentence, type Faults } from './forms';
import type { Problem } from './problem';
import { deviceText } from './text-devices';

const t = deviceText.form;

export type Parameters = Readonly<Record<string, Parameter>>;
/** What stands in the fields. Of a choice it is the JSON of what is chosen. */
export type Typed = Record<string, string>;

const PRIORITY_MAX = 9;
const DEADLINE_S_MAX = 604_800;
/** Fields beside the parameters; no parameter has such a name. */
export const PRIORITY = '*priority';
export const DEADLINE = '*deadline';

const isChoice = (parameter: Parameter): boolean =>
  parameter.type === 'boolean' || Boolean(parameter.enum);

/** What is chosen from; null where something is typed. */
export function choicesOf(parameter: Parameter): unknown[] | null {
  if (parameter.enum) return parameter.enum;
  return parameter.type === 'boolean' ? [true, false] : null;
}

/** Whether nothing may be left out: without a value the device could not carry it out. */
export const isNeeded = ({ required, default: usual }: Parameter): boolean =>
  Boolean(required) && (usual === null || usual === undefined);

/** The fields as a template begins with them. */
export const typeDefaults = (parameters: Parameters): Typed =>
  Object.fromEntries(
    Object.entries(parameters).map(([name, parameter]) => {
      const { default: usual } = parameter;
      if (usual === null || usual === undefined) return [name, ''];
      return [name, isChoice(parameter) ? JSON.stringify(usual) : String(usual)];
    }),
  );

/** Unit of measure there is none: what it may be, “0 to 120”, “whole, from 1”. */
export function wordBounds({ type, min = null, max = null }: Parameter): string {
  const parts: string[] = [];
  if (type === 'int') parts.push(t.whole);
  if (min !== null && max !== null) parts.push(span(wordBound(min), wordBound(max)));
  else if (min !== null) parts.push(t.from(wordBound(min)));
  else if (max !== null) parts.push(t.upTo(wordBound(max)));
  return parts.join(', ');
}

/** Why what is typed is no value of a parameter; '' when it is one. */
export function findFault(parameter: Parameter, typed: string): string {
  if (typed === '') return isNeeded(parameter) ? t.needed : '';
  if (isChoice(parameter) || parameter.type === 'string') return '';
  const number = readNumber(typed);
  if (number === null) return t.noNumber(typed);
  if (parameter.type === 'int' && !Number.isInteger(number)) return t.notWhole(typed);
  const { min = null, max = null } = parameter;
  if (max !== null && number > max) return t.over(typed, wordBound(max));
  return min !== null && number < min ? t.under(typed, wordBound(min)) : '';
}

/** The values of all fields that have one, and what is wrong with the others. */
export function readParameters(
  parameters: Parameters,
  typed: Typed,
): { values: Record<string, unknown>; faults: Faults } {
  const values: Record<string, unknown> = {};
  const faults: Faults = {};
  for (const [name, parameter] of Object.entries(parameters)) {
    const text = typed[name] ?? '';
    const fault = findFault(parameter, text);
    if (fault) faults[name] = fault;
    else if (text !== '') values[name] = readValue(parameter, text);
  }
  return { values, faults };
}

function readValue(parameter: Parameter, text: string): unknown {
  if (isChoice(parameter)) return JSON.parse(text) as unknown;
  return parameter.type === 'string' ? text : readNumber(text);
}

/** Priority and deadline, and what is wrong with them; left out they are the server's. */
export function readUrgency(typed: Typed): {
  values: { priority?: number; deadline_seconds?: number };
  faults: Faults;
} {
  const faults: Faults = {};
  const read = (name: string, isFit: (value: number) => boolean, fault: string) => {
    const text = typed[name] ?? '';
    if (text.trim() === '') return undefined;
    const value = readNumber(text);
    if (value !== null && isFit(value)) return value;
    faults[name] = fault;
    return undefined;
  };
  const priority = read(
    PRIORITY,
    (value) => Number.isInteger(value) && value >= 0 && value <= PRIORITY_MAX,
    t.priorityFault(PRIORITY_MAX),
  );
  const deadline = read(
    DEADLINE,
    (value) => value > 0 && value <= DEADLINE_S_MAX,
    t.deadlineFault,
  );
  return {
    values: {
      ...(priority === undefined ? {} : { priority }),
      ...(deadline === undefined ? {} : { deadline_seconds: deadline }),
    },
    faults,
  };
}

const PLACES: Readonly<Record<string, string>> = {
  priority: PRIORITY,
  deadline_seconds: DEADLINE,
};

/** What the server says is wrong, at the fields that it names; the rest is for the whole form. */
export function placeFaults(
  problem: Problem,
  parameters: Parameters,
): { faults: Faults; rest: string } {
  const errors = problem.errors.map(({ field, reason }) => {
    const named = field.replace(/^(body\.)?(parameters\.)?/, '');
    // A needed one that is missing is named in the reason only.
    const missing = /^"(.+)" is a required property$/.exec(reason)?.[1];
    return missing === undefined
      ? { field: PLACES[named] ?? named, reason }
      : { field: missing, reason: t.needed };
  });
  // A name may hold dots: the whole of it is looked for.
  const known = [...Object.keys(parameters), PRIORITY, DEADLINE];
  const faults: Faults = {};
  const rest: string[] = problem.errors.length ? [] : [sentence(problem.detail)];
  for (const { field, reason } of errors)
    if (known.includes(field)) faults[field] ??= sentence(reason);
    else rest.push(sentence(reason));
  return { faults, rest: rest.join(' ') };
}
