/* Live messages between their arrival and the frame that shows them. Latest wins: of a metric,
   a reading, a minute or a moment only the newest version is kept, so the queue is as small as
   what it describes, however long the tab was hidden. */
import { isNewerMoment } from './moment';
import type { ChatMessage, LatestMinute, LiveMessage, MinuteRow, Moment, Reading } from './types';

/** Past this many the tab slept too long: fetching again is cheaper than replaying. */
export const QUEUE_MAX = 20_000;

/** Of what was said in one stream no list on the page holds more. */
export const SAID_MAX = 50;

export interface Batch {
  minutes: MinuteRow[];
  moments: Moment[];
  readings: { streamId: string; reading: Reading }[];
  /** What was said, by stream, oldest first; the last of it. */
  said: Map<string, ChatMessage[]>;
  states: { streamId: string; live: boolean }[];
  /** Streams that were deleted. What else is here of one of them arrived after that. */
  deleted: string[];
  /** The time of the newest message for each stream, in milliseconds. */
  heard: Map<string, number>;
  /** True when the queue overflowed and what it held was let go. */
  overflowed: boolean;
}

export class LiveQueue {
  #minutes = new Map<string, MinuteRow>();
  #moments = new Map<string, Moment>();
  #readings = new Map<string, { streamId: string; reading: Reading }>();
  #said = new Map<string, ChatMessage[]>();
  #states = new Map<string, boolean>();
  #deleted = new Set<string>();
  #heard = new Map<string, number>();
  #overflowed = false;

  /** Keep what the message says; returns whether there is something to show. */
  push(message: LiveMessage): boolean {
    switch (message.type) {
      case 'metrics':
      case 'minute': {
        const row = message.data;
        const key = `${row.stream_id} ${row.window_start}`;
        const known = this.#minutes.get(key);
        if (!known || isNewer(row, known)) this.#minutes.set(key, row);
        if (message.type === 'metrics') this.#hear(message.stream_id, message.timestamp);
        break;
      }
      case 'moment': {
        const known = this.#moments.get(message.data.moment_id);
        if (!known || isNewerMoment(message.data, known))
          this.#moments.set(message.data.moment_id, message.data);
        break;
      }
      case 'reading':
        this.#readings.set(`${message.stream_id} ${message.data.channel}`, {
          streamId: message.stream_id,
          reading: message.data,
        });
        this.#hear(message.stream_id, message.data.timestamp);
        break;
      case 'chat': {
        const before = this.#said.get(message.stream_id) ?? [];
        const said = [...before, ...message.data.messages].slice(-SAID_MAX);
        this.#said.set(message.stream_id, said);
        break;
      }
      case 'stream':
        if (message.data.state === 'deleted') this.#forget(message.stream_id);
        else this.#states.set(message.stream_id, message.data.state === 'live');
        break;
      default:
        return false;
    }
    if (this.#minutes.size + this.#readings.size > QUEUE_MAX) {
      this.drain();
      this.#overflowed = true;
    }
    return true;
  }

  /** Hand over everything kept and start empty. */
  drain(): Batch {
    const batch: Batch = {
      minutes: [...this.#minutes.values()],
      moments: [...this.#moments.values()],
      readings: [...this.#readings.values()],
      said: this.#said,
      states: [...this.#states].map(([streamId, live]) => ({ streamId, live })),
      deleted: [...this.#deleted],
      heard: this.#heard,
      overflowed: this.#overflowed,
    };
    this.#minutes = new Map();
    this.#moments = new Map();
    this.#readings = new Map();
    this.#said = new Map();
    this.#states = new Map();
    this.#deleted = new Set();
    this.#heard = new Map();
    this.#overflowed = false;
    return batch;
  }

  /** Let go of what waits of a deleted stream; later messages are of one that appeared anew. */
  #forget(streamId: string): void {
    this.#deleted.add(streamId);
    this.#said.delete(streamId);
    this.#states.delete(streamId);
    this.#heard.delete(streamId);
    drop(this.#minutes, (row) => row.stream_id === streamId);
    drop(this.#moments, (moment) => moment.stream_id === streamId);
    drop(this.#readings, (reading) => reading.streamId === streamId);
  }

  #hear(streamId: string, timestamp: string): void {
    const time = Date.parse(timestamp);
    if (time > (this.#heard.get(streamId) ?? -Infinity)) this.#heard.set(streamId, time);
  }
}

function drop<T>(from: Map<string, T>, goes: (one: T) => boolean): void {
  for (const [key, one] of from) if (goes(one)) from.delete(key);
}

type Version = Pick<LatestMinute, 'final' | 'revision'>;

/** Whether `row` may replace `known`: a closed minute never reopens and never goes back a revision;
    of an open minute the last to arrive is the newest. */
export function isNewer(row: Version, known: Version): boolean {
  if (row.final !== known.final) return row.final;
  return !row.final || row.revision >= known.revision;
}
