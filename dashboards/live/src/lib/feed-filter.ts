/* Which moments the feed shows, and how the address says it:
   `?state=open,shelved&type=flatline&severity=high&stream=…&q=…&before=…`. */
import { severity, type Severity } from './format';
import { describeMoment } from './moment';
import { momentName } from './text';
import type { Moment } from './types';

export type MomentState = Moment['state'];

export const STATES: readonly MomentState[] = ['open', 'acknowledged', 'shelved', 'resolved'];
/** What still needs somebody; what else there is, is asked for. */
const USUAL: readonly MomentState[] = ['open', 'acknowledged'];
/** The least score of each severity; what is stored scores 1.0 at least. */
export const SCORES: Readonly<Record<Severity, number>> = {
  low: 0,
  medium: 1.5,
  high: 2.5,
  critical: 4,
};

export interface FeedFilter {
  states: readonly MomentState[];
  type: string | null;
  severity: Severity;
  stream: string | null;
  words: string;
  /** Only what began earlier: where a feed that is full goes on. */
  before: number | null;
}

export function readFeedFilter(query: URLSearchParams): FeedFilter {
  const named = (query.get('state') ?? '').split(',');
  const states = STATES.filter((state) => named.includes(state));
  const level = query.get('severity') ?? '';
  const before = Date.parse(query.get('before') ?? '');
  return {
    states: states.length ? states : USUAL,
    type: query.get('type'),
    severity: Object.hasOwn(SCORES, level) ? (level as Severity) : 'low',
    stream: query.get('stream'),
    words: query.get('q') ?? '',
    before: Number.isNaN(before) ? null : before,
  };
}

/** What the address says once a state is pressed, or let go; with none left it is the usual ones. */
export function toggleState(
  { states }: Pick<FeedFilter, 'states'>,
  state: MomentState,
): string | null {
  const wanted = STATES.filter((one) => states.includes(one) !== (one === state));
  const isUsual = wanted.length === USUAL.length && USUAL.every((one) => wanted.includes(one));
  return isUsual ? null : wanted.join(',') || null;
}

/** What is written into the address for the usual feed. */
export const PLAIN: Readonly<Record<string, null>> = {
  q: null,
  state: null,
  severity: null,
  type: null,
  stream: null,
  before: null,
};

/** Whether anything is left out that a plain address shows. */
export const isNarrowed = (filter: FeedFilter): boolean =>
  !!(filter.type || filter.stream || filter.words.trim() || filter.before !== null) ||
  filter.severity !== 'low' ||
  USUAL.some((state) => !filter.states.includes(state));

/** What the lists of the API are asked for; of the rest the page sees to itself. */
export const filterKey = ({ states, type, severity: level, stream, before }: FeedFilter): string =>
  JSON.stringify([states, type, level, stream, before]);

/** Whether a moment can be in the lists that are read, in whatever state it is. */
export function isWithin(filter: FeedFilter, moment: Moment): boolean {
  return (
    (filter.type === null || moment.moment_type === filter.type) &&
    (filter.stream === null || moment.stream_id === filter.stream) &&
    moment.score >= SCORES[filter.severity] &&
    (filter.before === null || Date.parse(moment.timestamp) < filter.before)
  );
}

/** Whether the feed shows it: also its state, and every word somewhere in what the page says. */
export function isShown(filter: FeedFilter, moment: Moment): boolean {
  if (!filter.states.includes(moment.state) || !isWithin(filter, moment)) return false;
  const words = filter.words.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return true;
  const said = [
    moment.stream_id,
    moment.metric_name,
    moment.moment_type,
    momentName(moment.moment_type),
    severity(moment.score),
    describeMoment(moment),
    moment.description,
  ]
    .join(' ')
    .toLowerCase();
  return words.every((word) => said.includes(word));
}
