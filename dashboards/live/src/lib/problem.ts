/* What goes wrong, in the shape of RFC 9457 whoever it comes from, so that a view has one thing to
   show. */
import { text } from './text';
import type { ProblemDocument } from './types';

/** What is wrong with one field of a request. */
export interface Fault {
  field: string;
  reason: string;
}

export class Problem extends Error {
  constructor(
    readonly title: string,
    readonly detail: string,
    readonly status: number,
    readonly path: string,
    readonly type = 'about:blank',
    readonly errors: readonly Fault[] = [],
  ) {
    super(title);
  }
}

/** The problem in an answer; whatever stands between us and the server may have answered instead. */
export function readProblem(error: unknown, response: Response): Problem {
  const doc = (typeof error === 'object' ? error : null) as Partial<ProblemDocument> | null;
  return new Problem(
    doc?.title ?? text.problem.status(response.status),
    doc?.detail ?? text.problem.noDetail,
    response.status,
    new URL(response.url, location.href).pathname,
    doc?.type,
    doc?.errors ?? [],
  );
}

/** Whether a failure is only the abort of a request that is no longer wanted. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

/** Anything thrown, as something that can be shown. */
export function toProblem(error: unknown): Problem {
  return error instanceof Problem
    ? error
    : new Problem(text.problem.unknownTitle, String(error), 0, location.pathname);
}
