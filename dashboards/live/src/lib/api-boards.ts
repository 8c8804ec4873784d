/* The questions that boards ask the API. A change names the version that was seen: somebody else
   may have been faster. */
import type { Board, Draft } from './boards';
import { client, read } from './http';
import { readAll } from './lists';
import { toProblem } from './problem';

type Sent = Draft & { charts: Exclude<Board['charts'][number], { kind: 'hidden' }>[] };

/** Hidden charts are in no draft that is sent: a board with one cannot be changed. */
const send = (draft: Draft): Sent => ({
  ...draft,
  charts: draft.charts.filter((tile) => tile.kind !== 'hidden'),
});

/** How often a change is tried anew on what somebody else made of the board meanwhile. */
const TRIES = 4;

export const boardApi = {
  list: (signal?: AbortSignal) =>
    readAll((cursor) =>
      read(client.GET('/api/v1/boards', { params: { query: { limit: 100, cursor } }, signal })),
    ),

  get: (board_id: string, signal?: AbortSignal): Promise<Board> =>
    read(client.GET('/api/v1/boards/{board_id}', { params: { path: { board_id } }, signal })),

  create: (draft: Draft): Promise<Board> =>
    read(client.POST('/api/v1/boards', { body: send(draft) })),

  /** Without a version a board that was deleted comes back. `isLast`: the page may be gone before
      the answer. */
  put: (board_id: string, draft: Draft, version: number | null, isLast = false): Promise<Board> =>
    read(
      client.PUT('/api/v1/boards/{board_id}', {
        params: { path: { board_id } },
        headers: version === null ? {} : { 'If-Match': `"${version}"` },
        body: send(draft),
        keepalive: isLast,
      }),
    ),

  delete: (board_id: string): Promise<Board> =>
    read(client.DELETE('/api/v1/boards/{board_id}', { params: { path: { board_id } } })),

  /** Change a board as it is now, whoever changes it at the same time. */
  change: async (board_id: string, step: (board: Board) => Draft): Promise<Board> => {
    for (let left = TRIES; ; left--) {
      const board = await boardApi.get(board_id);
      try {
        return await boardApi.put(board_id, step(board), board.version);
      } catch (error) {
        if (toProblem(error).status !== 412 || left <= 1) throw error;
      }
    }
  },
};
