/* What the system page asks: metrics of the process that answers, what runs, and dead letters. */
import { client, read } from './http';
import { readProblem } from './problem';
import { readScrape, type Scrape } from './prometheus';
import type { components } from '../../generated/api';

type Schemas = components['schemas'];
export type SystemInfo = Schemas['SystemOut'];
export type Process = SystemInfo['processes'][number];
export type Letter = Schemas['LetterOut'];
export type LetterDetail = Schemas['LetterDetailOut'];
export type LetterCounts = Schemas['LetterCountsOut'];
export interface LetterPage {
  data: Letter[];
  next_cursor: string | null;
}

const PAGE = 25;

export const systemApi = {
  async scrape(signal?: AbortSignal): Promise<Scrape> {
    const { data, error, response } = await client.GET('/metrics', { parseAs: 'text', signal });
    if (data === undefined) throw readProblem(error, response);
    return readScrape(data, Date.now());
  },

  read: (signal?: AbortSignal) => read(client.GET('/api/v1/system', { signal })),

  listLetters: (waiting: boolean | undefined, cursor?: string, signal?: AbortSignal) =>
    read(
      client.GET('/api/v1/dead-letters', {
        params: { query: { waiting, limit: PAGE, cursor } },
        signal,
      }),
    ),

  /** Of the last two days, by reason and by hour. */
  countLetters: (signal?: AbortSignal) =>
    read(client.GET('/api/v1/dead-letters/counts', { signal })),

  getLetter: (letter_id: string, signal?: AbortSignal) =>
    read(
      client.GET('/api/v1/dead-letters/{letter_id}', { params: { path: { letter_id } }, signal }),
    ),

  replayLetter: (letter_id: string) =>
    read(
      client.POST('/api/v1/dead-letters/{letter_id}/replay', { params: { path: { letter_id } } }),
    ),

  /** The 20 oldest that wait. */
  replayLetters: () => read(client.POST('/api/v1/dead-letters/replay', { body: {} })),
};
