/* Which rows of a long list exist: those on screen, some either side, and the one with the focus,
   wherever it is. Rows are of one height and stand where their number says. */

/** Rows either side of the screen, so that a flick shows no hole. */
export const EXTRA_ROWS = 6;

export interface Window {
  /** Pixels of the list above the screen. */
  top: number;
  /** Pixels of the screen. */
  height: number;
  rowHeight: number;
}

/** The numbers of rows that exist, in order. `kept` exists whatever is on screen; -1 for none. */
export function rowsToShow(count: number, view: Window, kept = -1): number[] {
  const first = Math.max(0, Math.floor(view.top / view.rowHeight) - EXTRA_ROWS);
  const past = Math.min(count, Math.ceil((view.top + view.height) / view.rowHeight) + EXTRA_ROWS);
  const shown: number[] = [];
  if (kept >= 0 && kept < Math.min(first, count)) shown.push(kept);
  for (let row = first; row < past; row++) shown.push(row);
  if (kept >= Math.max(past, first) && kept < count) shown.push(kept);
  return shown;
}
