/* Search: how well a few typed letters name a thing, and which things to show. Pure.

     “nlt” ~ northlight_live     letters in order, the closer together and the earlier the better */

export type FoundKind = 'stream' | 'device' | 'moment' | 'session' | 'board' | 'page';

export interface Findable {
  kind: FoundKind;
  id: string;
  /** What is shown, and read first. */
  name: string;
  /** What else it is known by. */
  also: string;
  href: string;
}

export interface Found extends Findable {
  score: number;
}

/** Of each kind; more are found by typing more. */
export const SHOWN_MAX = 8;

const WHOLE = 100;
const START = 60;
const WORD = 45;
const INSIDE = 30;
const SCATTERED = 12;

const isBoundary = (text: string, at: number): boolean =>
  at === 0 || !/[a-z0-9]/.test(text[at - 1]!);

/** How well one word names a text: 0 not at all, 100 entirely. */
export function scoreWord(text: string, word: string): number {
  if (text === word) return WHOLE;
  const at = text.indexOf(word);
  // Among texts that begin alike the shorter is nearer to what was typed.
  if (at === 0) return START + (20 * word.length) / text.length;
  if (at > 0) {
    let found = at;
    while (found > 0 && !isBoundary(text, found)) found = text.indexOf(word, found + 1);
    return found > 0 ? WORD : INSIDE;
  }
  return scoreScattered(text, word);
}

/** Letters in order with others between them: fewer gaps are better, and too many are nothing. */
function scoreScattered(text: string, word: string): number {
  if (word.length < 2) return 0;
  let gaps = 0;
  let from = 0;
  for (const letter of word) {
    let at = text.indexOf(letter, from);
    if (at < 0) return 0;
    // A letter that begins a word is what people type of it.
    if (at !== from) {
      for (let next = at; next >= 0; next = text.indexOf(letter, next + 1))
        if (isBoundary(text, next)) {
          at = next;
          break;
        }
      if (!isBoundary(text, at)) gaps += 1;
    }
    from = at + 1;
  }
  return gaps > 1 ? 0 : SCATTERED - 4 * gaps;
}

/** Every word must be found, in the name or in what else the thing is known by. */
export function scoreThing(thing: Findable, words: readonly string[]): number {
  const name = thing.name.toLowerCase();
  const also = thing.also.toLowerCase();
  let sum = 0;
  for (const word of words) {
    const score = Math.max(scoreWord(name, word), scoreWord(also, word) * 0.6);
    if (score === 0) return 0;
    sum += score;
  }
  return sum / words.length;
}

export const wordsOf = (query: string): string[] =>
  query.toLowerCase().split(/\s+/).filter(Boolean);

/** The best of each kind, the kind with the best first; each thing once. */
export function find(things: Iterable<Findable>, query: string): Found[] {
  const words = wordsOf(query);
  const byKind = new Map<FoundKind, Map<string, Found>>();
  for (const thing of things) {
    const score = words.length ? scoreThing(thing, words) : 1;
    if (score === 0) continue;
    let kind = byKind.get(thing.kind);
    if (!kind) byKind.set(thing.kind, (kind = new Map()));
    if (!kind.has(thing.id)) kind.set(thing.id, { ...thing, score });
  }
  return [...byKind.values()]
    .map((kind) => [...kind.values()].sort(compareFound).slice(0, SHOWN_MAX))
    .sort((a, b) => (words.length ? b[0]!.score - a[0]!.score : 0))
    .flat();
}

function compareFound(a: Found, b: Found): number {
  return b.score - a.score || a.name.length - b.name.length || (a.name < b.name ? -1 : 1);
}
