/* Why a moment is one: its reasons, grouped by what they are, in the order in which they come. What
   people and machines sent is in them: it stays text, of bounded length, and what has no text is
   left out. */
import { clip, count, percent, plainName } from './format';
import { figure } from './moment';
import { text } from './text';
import type { Moment } from './types';

export interface ReasonLine {
  /** What is named, apart from what is said of it: each keeps its own direction of writing. */
  name: string | null;
  words: string;
}

export interface ReasonGroup {
  kind: string;
  title: string;
  lines: ReasonLine[];
}

/** The server tells six of a kind at most, of two hundred signs each. */
const LINES_MAX = 12;
const NAME_MAX = 80;
const WORDS_MAX = 300;
const OTHER = 'other';

type Given = Record<string, unknown>;

const isNumber = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value);
const textIn = (value: unknown): string | null =>
  typeof value === 'string' && value.trim() ? value : null;

export function groupReasons(moment: Pick<Moment, 'reasons'>): ReasonGroup[] {
  const groups = new Map<string, ReasonGroup>();
  const reasons: unknown = moment.reasons;
  for (const reason of Array.isArray(reasons) ? reasons : []) {
    const given: Given = typeof reason === 'string' ? { text: reason } : Object(reason);
    const told = textIn(given.kind);
    const kind = told && Object.hasOwn(text.reason.kinds, told) ? told : OTHER;
    const line = readLine(kind, given);
    if (!line) continue;
    const title = text.reason.kinds[kind] ?? kind;
    if (!groups.has(kind)) groups.set(kind, { kind, title, lines: [] });
    groups.get(kind)!.lines.push(line);
  }
  return [...groups.values()].map((group) => ({
    ...group,
    lines: group.lines.slice(0, LINES_MAX),
  }));
}

function readLine(kind: string, given: Given): ReasonLine | null {
  const name = textIn(given.name);
  const words = name && compare(kind, name, given);
  if (name && words) return { name: clip(nameIn(kind, name), NAME_MAX), words };
  const said = textIn(given.text);
  if (!said) return null;
  const isSigned = kind === 'message' && name;
  return { name: isSigned ? clip(name, NAME_MAX) : null, words: clip(said, WORDS_MAX) };
}

const nameIn = (kind: string, name: string): string =>
  kind === 'metric' ? (text.reason.metrics[name] ?? plainName(name)) : name;

/** What is said of something that was counted or measured, in the figures of the page. */
function compare(kind: string, name: string, { value, usual }: Given): string | null {
  if (!isNumber(value) || !isNumber(usual)) return null;
  const t = text.reason;
  if (kind === 'metric') return t.moved(value > usual, figure(name, value), figure(name, usual));
  if (kind === 'emote') return t.counted(count(value), count(usual));
  return kind === 'word' ? t.shared(percent(value), percent(usual)) : null;
}

export interface Moved {
  name: string;
  words: string;
  /** How far it moved, of what moved farthest. */
  share: number;
}

const SHARE_LEAST = 0.02;

/** The metrics that moved, measured by what each usually strays. */
export function listMoved(moment: Pick<Moment, 'reasons'>): Moved[] {
  const found = readKind(moment, 'metric');
  const reach = found.map(({ spreads }) => (isNumber(spreads) ? Math.abs(spreads) : 0));
  const farthest = Math.max(...reach, SHARE_LEAST);
  return found.flatMap((given, index) => {
    const line = readLine('metric', given);
    if (!line) return [];
    const share = Math.max(SHARE_LEAST, reach[index]! / farthest);
    return [{ name: line.name ?? '', words: line.words, share }];
  });
}

export interface Surge {
  kind: string;
  name: string;
  /** How often against before; null: there was none before. */
  times: string | null;
  words: string;
}

/** Words and emotes that were said far more often than before. */
export function listSurged(moment: Pick<Moment, 'reasons'>): Surge[] {
  return ['emote', 'word'].flatMap((kind) =>
    readKind(moment, kind).flatMap((given) => {
      const line = readLine(kind, given);
      const { value, usual } = given;
      if (!line?.name || !isNumber(value) || !isNumber(usual)) return [];
      const times = usual > 0 ? count(value / usual) : null;
      return [{ kind, name: line.name, times, words: line.words }];
    }),
  );
}

function readKind({ reasons }: Pick<Moment, 'reasons'>, kind: string): Given[] {
  const all: unknown = reasons;
  const found: Given[] = Array.isArray(all) ? all.map((reason) => Object(reason)) : [];
  return found.filter((given) => given.kind === kind).slice(0, LINES_MAX);
}
