/* Live messages between their arrival and the frame that shows them. Latest wins: of a metric,
   a reading, a minute or a moment only the newest version is kept, so the queue is as small as
   what it describes, however long the tab was hidden. */
import type { LatestMinute, LiveMessage, MinuteRow, Moment, Reading } from './types';

/** Past this many the tab slept too long: fetching again is cheaper than replaying. */
export const QUEUE_MAX = 20_000;

export interface Batch {
  minutes: MinuteRow[];
  moments: Moment[];
  readings: { streamId: string; reading: Reading }[];
  states: { streamId: string; live: boolean }[];
  /** The time of the newest message for each stream, in milliseconds. */
  heard: Map<string, number>;
  /** True when the queue overflowed and what it held was let go. */
  overflowed: boolean;
}

export class LiveQueue {
  #minutes = new Map<string, MinuteRow>();
  #moments = new Map<string, Moment>();
  #readings = new Map<string, { streamId: string; reading: Reading }>();
  #states = new Map<string, boolean>();
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
      case 'moment':
        this.#moments.set(message.data.moment_id, message.data);
        break;
      case 'reading':
        this.#readings.set(`${message.stream_id} ${message.data.channel}`, {
          streamId: message.stream_id,
          reading: message.data,
        });
        this.#hear(message.stream_id, message.data.timestamp);
        break;
      case 'stream':
        this.#states.set(message.stream_id, message.data.state === 'live');
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
      states: [...this.#states].map(([streamId, live]) => ({ streamId, live })),
      heard: this.#heard,
      overflowed: this.#overflowed,
    };
    this.#minutes = new Map();
    this.#moments = new Map();
    this.#readings = new Map();
    this.#states = new Map();
    this.#heard = new Map();
    this.#overflowed = false;
    return batch;
  }

  #hear(streamId: string, timestamp: string): void {
    const time = Date.parse(timestamp);
    if (time > (this.#heard.get(streamId) ?? -Infinity)) this.#heard.set(streamId, time);
  }
}

/** Whether `row` may replace `known`: a closed minute never reopens and never goes back a revision;
    of an open minute the last to arrive is the newest. */
export function isNewer(row: LatestMinute, known: LatestMinute): boolean {
  if (row.final !== known.final) return row.final;
  return !row.final || row.revision >= known.revision;
}
