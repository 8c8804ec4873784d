/* A chart as rows: for the table beside it and for a file. Times are ISO 8601, figures are as exact
   as they came. */
import type { Column } from './columns';
import type { Course } from './course';

export interface Sheet {
  columns: string[];
  /** Oldest first; a window of which nothing is known has no row. */
  rows: [string, ...(number | null)[]][];
}

export function sheetOf(course: Course, name: string, compare: Column | null): Sheet {
  const { band } = course;
  const parts: [string, Column][] = [
    [name, course.values],
    ...course.parts.map((part): [string, Column] => [part.name, part.values]),
    ...course.more.map((part): [string, Column] => [part.name, part.values]),
    ...(band ? ([['expected_low', band.low], ['expected_high', band.high]] as const) : []).map(
      ([key, values]): [string, Column] => [key, values],
    ),
    ...(compare ? [['compared', compare] as [string, Column]] : []),
  ];
  const rows = course.grid.flatMap((start, k): Sheet['rows'] => {
    const values = parts.map(([, column]) => column[k] ?? null);
    const isKnown = course.values[k] != null || (compare?.[k] ?? null) !== null;
    return isKnown ? [[new Date(start).toISOString().replace('.000', ''), ...values]] : [];
  });
  return { columns: ['window_start', ...parts.map(([key]) => key)], rows };
}

const LINE = '\r\n';
/** No text of a sheet can need quotes: names of columns and times have no commas. */
export const writeCsv = ({ columns, rows }: Sheet): string =>
  [columns, ...rows].map((row) => row.map((cell) => cell ?? '').join(',') + LINE).join('');

/** What a file of a chart is called: stream, metric, and from when. */
export function fileName(stream: string, name: string, from: number, ending: string): string {
  const time = new Date(from).toISOString().slice(0, 16).replaceAll(':', '');
  return `${stream}-${name}-${time}`.replaceAll(/[^\w.-]+/g, '_') + `.${ending}`;
}

/** Hand a file to the browser. */
export function download(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser has begun to read it by then; let go at once, some would find nothing.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
