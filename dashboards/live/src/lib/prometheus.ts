/* Reads what Prometheus reads: the text of /metrics, bounded, and what can be told from two of
   them: how fast a counter grows, and the quantiles of a histogram in between.

     text -> Scrape;   Scrape + Scrape -> rate, quantile

   A counter that went down, or another process that answered, is no news: null. */

/** One process has some hundreds of series; more than this is not ours. */
export const SAMPLES_MAX = 20_000;
export const BYTES_MAX = 4_000_000;

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  labels: Labels;
  value: number;
}

export interface Scrape {
  /** When it was read, in milliseconds. */
  at: number;
  series: ReadonlyMap<string, readonly Sample[]>;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)",?/g;
const SPECIAL: Record<string, number> = { '+Inf': Infinity, '-Inf': -Infinity, NaN: NaN };

export function readScrape(body: string, at: number): Scrape {
  const series = new Map<string, Sample[]>();
  let left = SAMPLES_MAX;
  for (const line of body.slice(0, BYTES_MAX).split(/\r?\n/)) {
    if (line === '' || line.startsWith('#')) continue;
    const [, name, labels, figure] = LINE.exec(line) ?? [];
    if (!name || !figure) continue;
    const value = SPECIAL[figure] ?? Number(figure);
    // What is no number is left out, and not taken for zero.
    if (Number.isNaN(value)) continue;
    if (left-- <= 0) break;
    const known = series.get(name);
    const sample = { labels: readLabels(labels ?? ''), value };
    if (known) known.push(sample);
    else series.set(name, [sample]);
  }
  return { at, series };
}

const ESCAPED: Record<string, string> = { n: '\n', '"': '"', '\\': '\\' };

function readLabels(inside: string): Labels {
  const labels: Record<string, string> = {};
  for (const [, name, value] of inside.matchAll(LABEL))
    labels[name!] = value!.replace(/\\(.)/g, (_, sign: string) => ESCAPED[sign] ?? sign);
  return labels;
}

export type Choose = (labels: Labels) => boolean;
const ALL: Choose = () => true;

/** The sum over the chosen series; null when there is none. */
export function total(scrape: Scrape, name: string, choose: Choose = ALL): number | null {
  const chosen = (scrape.series.get(name) ?? []).filter(({ labels }) => choose(labels));
  return chosen.length ? chosen.reduce((sum, { value }) => sum + value, 0) : null;
}

const START = 'process_start_time_seconds';

/** Whether both were answered by one process: only then do its counters belong together. */
export function isSameProcess(before: Scrape, after: Scrape): boolean {
  return total(before, START) === total(after, START) && after.at > before.at;
}

/** How much a counter grew; a series that is new began at zero. */
export function growth(
  before: Scrape,
  after: Scrape,
  name: string,
  choose: Choose = ALL,
): number | null {
  const now = total(after, name, choose);
  if (now === null || !isSameProcess(before, after)) return null;
  const grown = now - (total(before, name, choose) ?? 0);
  return grown >= 0 ? grown : null;
}

/** How fast a counter grows, a second. */
export function ratePerSecond(
  before: Scrape,
  after: Scrape,
  name: string,
  choose: Choose = ALL,
): number | null {
  const grown = growth(before, after, name, choose);
  return grown === null ? null : grown / ((after.at - before.at) / 1000);
}

/** A quantile of what a histogram took in between, straight within a bucket as Prometheus does it;
    null when it took in nothing. Beyond the last bound nothing is known but that bound. */
export function quantile(
  before: Scrape,
  after: Scrape,
  name: string,
  part: number,
  choose: Choose = ALL,
): number | null {
  if (!isSameProcess(before, after)) return null;
  const counts = new Map<number, number>();
  for (const [scrape, sign] of [
    [before, -1],
    [after, 1],
  ] as const)
    for (const { labels, value } of scrape.series.get(`${name}_bucket`) ?? []) {
      if (!choose(labels)) continue;
      const bound = labels.le === '+Inf' ? Infinity : Number(labels.le);
      if (!Number.isNaN(bound)) counts.set(bound, (counts.get(bound) ?? 0) + sign * value);
    }
  const bounds = [...counts].sort(([a], [b]) => a - b);
  const all = bounds.at(-1)?.[1] ?? 0;
  if (!(all > 0)) return null;
  const wanted = part * all;
  let [low, below] = [0, 0];
  for (const [bound, upTo] of bounds) {
    if (upTo >= wanted && upTo > below) {
      if (bound === Infinity) return low;
      return low + ((bound - low) * (wanted - below)) / (upTo - below);
    }
    if (bound !== Infinity) [low, below] = [bound, upTo];
  }
  return low;
}
