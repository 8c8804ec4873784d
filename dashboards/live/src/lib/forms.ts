/* Forms: what people type, checked where it stands, and what the server says about it afterwards.
   */
import type { Problem } from './problem';

export interface Bounds {
  min: number;
  max: number;
  /** Whole numbers only. */
  whole?: boolean;
}

export type Faults = Record<string, string>;

/** A number as people write it: a comma is a point; null when it is none. */
export function readNumber(typed: string): number | null {
  const written = typed.trim().replace(',', '.');
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(written) ? Number(written) : null;
}

/** Words between commas, each once. */
export const readWords = (typed: string): string[] => [
  ...new Set(
    typed
      .split(',')
      .map((word) => word.trim())
      .filter(Boolean),
  ),
];

/** What differs, field by field. */
export function listChanges<T extends object>(before: T, after: T): Partial<T> {
  const changed = Object.entries(after).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name as keyof T]),
  );
  return Object.fromEntries(changed) as Partial<T>;
}

/** What the server says is wrong, at the fields that it names; the rest is for the whole form. Some
    reasons name their field themselves. */
export function readFaults(
  problem: Problem,
  fields: readonly string[],
): { faults: Faults; rest: string } {
  const faults: Faults = {};
  const rest: string[] = [];
  const errors = problem.errors.length ? problem.errors : [{ field: '', reason: problem.detail }];
  for (const { field, reason } of errors) {
    const said = reason.replace(/^Value error, /, '');
    const [, named, words] = /^(\w+): (.+)$/s.exec(said) ?? [];
    const [place, text] =
      named && words && fields.includes(named) ? [named, words] : [field.split('.')[0] ?? '', said];
    if (fields.includes(place)) faults[place] ??= sentence(text);
    else rest.push(sentence(text));
  }
  return { faults, rest: rest.join(' ') };
}

/** What a machine says, as a sentence. */
export function sentence(words: string): string {
  const begun = words.charAt(0).toUpperCase() + words.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
