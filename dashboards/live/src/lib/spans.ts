/* Spans of time that are known, as a list in order, none touching another. */
import type { Span } from './minutes';

/** The list with one more span, melted with what it touches. */
export function addSpan(spans: readonly Span[], added: Span): Span[] {
  let { from, to } = added;
  const apart = spans.filter((one) => {
    const touches = one.from <= to && one.to >= from;
    if (touches) [from, to] = [Math.min(from, one.from), Math.max(to, one.to)];
    return !touches;
  });
  return [...apart, { from, to }].sort((a, b) => a.from - b.from);
}

/** What of a span lies in none of the list. */
export function missingIn(spans: readonly Span[], wanted: Span): Span[] {
  const missing: Span[] = [];
  let from = wanted.from;
  for (const one of spans) {
    if (one.to <= from || one.from >= wanted.to) continue;
    if (one.from > from) missing.push({ from, to: one.from });
    from = one.to;
  }
  if (from < wanted.to) missing.push({ from, to: wanted.to });
  return missing;
}

/** What of a span lies in the list. */
export function within(spans: readonly Span[], view: Span): Span[] {
  return spans
    .map(({ from, to }) => ({ from: Math.max(from, view.from), to: Math.min(to, view.to) }))
    .filter(({ from, to }) => from < to);
}
