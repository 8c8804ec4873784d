/* The curve beside a chart's own: the same measure of another time or stream, on the windows of the
   chart. */
import { chartApi, type ResolutionName } from '../lib/api-stream';
import type { Column } from '../lib/columns';
import type { Compare } from '../lib/compare';
import { STEPS, type Course } from '../lib/course';
import { isAbort } from '../lib/problem';
import type { Span } from '../lib/minutes';

interface Found {
  shift: number;
  step: number;
  at: Map<number, number | null>;
}

/** Which curve of the API: `STREAM/column` or `STREAM/channel:NAME/column`. */
export interface CurveOf {
  stream: string;
  channel: string | null;
  column: string;
}

export class Compared {
  #found = $state.raw<Found | null>(null);

  forget(): void {
    this.#found = null;
  }

  /** The curve on the windows of a course; null until it was read for windows as wide. */
  onto({ grid, step }: Course): Column | null {
    const found = this.#found;
    if (!found || found.step !== step) return null;
    return grid.map((start) => found.at.get(start - found.shift) ?? null);
  }

  async read(compare: Compare, of: CurveOf, span: Span, step: number): Promise<void> {
    const shift = 'offset' in compare ? compare.ms : 0;
    const stream = 'stream' in compare ? compare.stream : of.stream;
    const channel = of.channel === null ? '' : `/channel:${of.channel}`;
    const resolution = Object.entries(STEPS).find(([, one]) => one === step)?.[0] ?? '1m';
    const range = { start: span.from - shift - step, end: span.to - shift };
    try {
      const series = `${stream}${channel}/${of.column}`;
      const { data, times } = await chartApi.compare(series, resolution as ResolutionName, range);
      const values = data[0]?.values ?? [];
      const at = new Map(times.map((time, k) => [Date.parse(time), values[k] ?? null]));
      this.#found = { shift, step, at };
    } catch (error) {
      // The chart is whole without it.
      if (!isAbort(error)) this.#found = null;
    }
  }
}
