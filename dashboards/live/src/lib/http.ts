/* The typed door to the HTTP API: paths, parameters and answers are those of its own description.
   Every request shows the key that is kept, has an end, and leaves here as data or a Problem. */
import createClient from 'openapi-fetch';
import type { paths } from '../../generated/api';
import { Problem, readProblem } from './problem';
import { access } from './store/access.svelte';
import { text } from './text';

/** A request that hangs longer than this is worse than one that failed: the reader sees no
    reason. */
const TIMEOUT_MS = 10_000;

interface Asked<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

async function send(request: Request): Promise<Response> {
  const { key } = access;
  // A key that is only being tried is shown by the request itself.
  const tried = request.headers.has('authorization');
  if (key && !tried) request.headers.set('authorization', `Bearer ${key}`);
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const path = new URL(request.url).pathname;
  let response: Response;
  try {
    response = await fetch(request, { signal: AbortSignal.any([request.signal, timeout]) });
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw timeout.aborted
      ? new Problem(text.problem.slowTitle, text.problem.slow(TIMEOUT_MS / 1000), 0, path)
      : new Problem(text.problem.unreachableTitle, text.problem.unreachable, 0, path);
  }
  if (response.status === 401 && !tried) access.refuse(key);
  return response;
}

export const client = createClient<paths>({
  baseUrl: location.origin,
  headers: { accept: 'application/json' },
  fetch: send,
});

/** The data of an answer, which is JSON: the page asks for no files. Throws a Problem when there is
    none. */
export async function read<T>(asked: Promise<Asked<T>>): Promise<Exclude<T, string>> {
  let answer: Asked<T>;
  try {
    answer = await asked;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Problem(text.problem.notJsonTitle, text.problem.notJson, 0, location.pathname);
  }
  if (answer.data === undefined) throw readProblem(answer.error, answer.response);
  return answer.data as Exclude<T, string>;
}

/** What its description cannot type: a form to send, a file to fetch. Throws a Problem. */
export async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const response = await send(new Request(new URL(path, location.origin), init));
  if (response.ok) return response;
  throw readProblem(await response.json().catch(() => null), response);
}
