import { describe, expect, it } from 'vitest';
import {
  boundActive,
  explainFailure,
  isNewerMoment,
  listActions,
  mergeMoments,
  takeList,
  wordAction,
} from '../src/lib/moment';
import { LiveQueue } from '../src/lib/queue';
import { text } from '../src/lib/text';
import type { LiveMessage, MinuteRow, Moment } from '../src/lib/types';

const moment = (more: Partial<Moment> = {}) =>
  ({
    moment_id: 'm',
    stream_id: 'a',
    state: 'open',
    ended_at: null,
    version: 0,
    revision: 10,
    ...more,
  }) as Moment;
const message = (more: object) =>
  ({ seq: 0, timestamp: '2026-01-26T12:00:00Z', ...more }) as LiveMessage;
const tell = (data: Moment) => message({ type: 'moment', stream_id: data.stream_id, data });
const say = (state: string) => message({ type: 'stream', stream_id: 'a', data: { state } });

describe('two tellings of a moment', () => {
  const known = moment({ version: 1, revision: 10 });

  it('are in order when neither version nor revision is smaller', () => {
    expect(isNewerMoment(moment({ version: 2, revision: 10 }), known)).toBe(true);
    expect(isNewerMoment(moment({ version: 1, revision: 11 }), known)).toBe(true);
    expect(isNewerMoment(moment({ version: 0, revision: 11 }), known)).toBe(false);
    expect(isNewerMoment(moment({ version: 2, revision: 9 }), known)).toBe(false);
  });

  it('count as they come when nothing was changed: a shelf may have ended', () => {
    expect(isNewerMoment(moment({ version: 1, revision: 10 }), known)).toBe(true);
  });

  it('leave the newer, whichever way they arrive', () => {
    const resolved = moment({ version: 1, state: 'resolved' });
    expect(mergeMoments([moment()], [resolved])).toEqual([resolved]);
    expect(mergeMoments([resolved], [moment()])).toEqual([resolved]);
    const queue = new LiveQueue();
    queue.push(tell(resolved));
    queue.push(tell(moment()));
    expect(queue.drain().moments).toEqual([resolved]);
  });
});

describe('a list of active moments', () => {
  const gone = moment({ moment_id: 'gone' });
  const stays = moment({ moment_id: 'stays' });

  it('ends what it does not name, but not what came while it was on its way', () => {
    const came = moment({ moment_id: 'came' });
    expect(takeList([stays], [gone, stays, came], new Set([gone, stays]))).toEqual([stays, came]);
  });

  it('brings nothing back that was resolved since', () => {
    const resolved = moment({ moment_id: 'stays', version: 1, state: 'resolved' });
    expect(takeList([stays], [resolved], new Set([resolved]))).toEqual([resolved]);
  });
});

describe('a deleted stream', () => {
  it('takes what waits of it along, and leaves the others', () => {
    const queue = new LiveQueue();
    const other = moment({ moment_id: 'n', stream_id: 'b' });
    const row = { stream_id: 'a', window_start: '2026-01-26T12:00:00Z' } as MinuteRow;
    const reading = { channel: 't', unit: null, value: 1, timestamp: '2026-01-26T12:00:00Z' };
    queue.push(tell(moment()));
    queue.push(tell(other));
    queue.push(say('live'));
    queue.push(message({ type: 'metrics', stream_id: 'a', data: row }));
    queue.push(message({ type: 'reading', stream_id: 'a', data: reading }));
    queue.push(say('deleted'));
    expect(queue.drain()).toEqual({
      minutes: [],
      moments: [other],
      readings: [],
      said: new Map(),
      states: [],
      deleted: ['a'],
      heard: new Map(),
      overflowed: false,
    });
    expect(queue.drain().deleted).toEqual([]);
  });

  it('may appear anew in the same frame', () => {
    const queue = new LiveQueue();
    queue.push(say('deleted'));
    queue.push(say('live'));
    const { deleted, states } = queue.drain();
    expect([deleted, states]).toEqual([['a'], [{ streamId: 'a', live: true }]]);
  });
});

describe('moments that nobody resolves', () => {
  const at = (minute: number, more: Partial<Moment> = {}) =>
    moment({
      moment_id: `m${minute}`,
      started_at: `2026-01-26T12:${String(minute).padStart(2, '0')}:00Z`,
      ended_at: '2026-01-26T13:00:00Z',
      ...more,
    });
  const names = (list: Moment[]) => list.map(({ moment_id }) => moment_id).sort();

  it('are let go from the oldest on, and none that goes on', () => {
    const many = [at(1, { ended_at: null }), at(2), at(3), at(4)];
    expect(names(boundActive(many, 3))).toEqual(['m1', 'm3', 'm4']);
    expect(names(boundActive(many, 4))).toEqual(['m1', 'm2', 'm3', 'm4']);
  });
});

describe('buttons', () => {
  const ended = '2026-01-26T12:00:00Z';
  const words = (more: Partial<Moment>) =>
    listActions(moment(more)).map((action) => wordAction(action, moment(more)));

  it('offer what makes sense, and say what comes of it', () => {
    expect(words({})).toEqual(['Acknowledge', 'Resolve']);
    expect(words({ state: 'shelved' })).toEqual(['Acknowledge', 'Resolve']);
    expect(words({ state: 'acknowledged' })).toEqual(['Resolve']);
    expect(words({ ended_at: ended })).toEqual(['Done']);
    expect(words({ state: 'resolved', ended_at: ended })).toEqual(['Reopen']);
  });

  it('say in a few words why not', () => {
    const title = 'The server cannot be reached';
    const why = (status: number) => explainFailure({ status, title });
    expect(why(403)).toBe(text.moment.forbidden);
    expect(why(404)).toBe(text.moment.missing);
    expect(why(409)).toBe(text.moment.changed);
    expect(why(0)).toBe('Not done. The server cannot be reached.');
  });
});
