/* The numeric channels of one stream. Closed minutes are read from the API, again after every
   minute; readings that arrive live move the last value and stand for the open minute until it
   closes. */
import { api } from '../api';
import { MINUTE } from '../format';
import { floorMinute, MinuteSeries, type Span } from '../minutes';
import { paced } from '../loop';
import type { Batch } from '../queue';
import type { Channel, ChannelMinute, Reading } from '../types';
import type { Listener } from './link.svelte';

const TEXT_EVERY_MS = 1000;
/** The flow needs a few seconds to close a minute; asking earlier would miss it. */
const CLOSING_MS = 12_000;
/** More small charts than this hide one another; the first by name are shown. */
export const CHANNELS_MAX = 12;

const isNewerMinute = (row: ChannelMinute, known: ChannelMinute): boolean =>
  row.final !== known.final ? row.final : !row.final || row.revision >= known.revision;

export class ChannelEntry {
  readonly name: string;
  readonly minutes = new MinuteSeries<ChannelMinute>(isNewerMinute);
  unit = $state<string | null>(null);
  lastValue = $state<number | null>(null);
  lastAt = $state<number | null>(null);
  version = $state(0);

  /** The newest reading, before it is published. */
  reading: Reading | null = null;

  constructor(channel: Channel) {
    this.name = channel.channel;
    this.update(channel);
  }

  update(channel: Channel): void {
    this.unit = channel.unit;
    const at = channel.last_at ? Date.parse(channel.last_at) : null;
    if (at !== null && at >= (this.lastAt ?? -Infinity)) {
      this.lastAt = at;
      this.lastValue = channel.last_value;
    }
  }

  publish(): void {
    const reading = this.reading;
    if (!reading) return;
    this.lastValue = reading.value;
    this.lastAt = Date.parse(reading.timestamp);
    this.unit ??= reading.unit;
    this.version += 1;
  }
}

export class ChannelList implements Listener {
  readonly topics: readonly string[];
  list = $state.raw<ChannelEntry[]>([]);
  total = $state(0);

  #view: Span | null = null;
  #abort = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #publish = paced(() => {
    for (const entry of this.list) entry.publish();
  }, TEXT_EVERY_MS);
  #reload = paced(() => this.#quietly(this.#load()), 3000);

  constructor(readonly streamId: string) {
    this.topics = [streamId];
    this.#afterNextMinute();
  }

  /** Read the channels and their minutes for a span that came into view. */
  async show(view: Span): Promise<void> {
    this.#view = view;
    await this.#load();
  }

  take(batch: Batch): void {
    for (const { streamId, reading } of batch.readings) {
      if (streamId !== this.streamId) continue;
      const entry = this.list.find((one) => one.name === reading.channel);
      if (entry) entry.reading = reading;
      else if (this.#view && this.total <= CHANNELS_MAX) this.#reload();
    }
    if (batch.readings.length) this.#publish();
  }

  async catchUp(since: number | null): Promise<void> {
    if (since !== null && this.#view) await this.#load();
  }

  stop(): void {
    this.#abort.abort();
    clearTimeout(this.#timer);
    this.#publish.cancel();
    this.#reload.cancel();
  }

  async #load(): Promise<void> {
    const signal = this.#abort.signal;
    const channels = await api.listChannels(this.streamId, signal);
    this.total = channels.length;
    const known = new Map(this.list.map((entry) => [entry.name, entry]));
    const shown = channels
      .sort((a, b) => a.channel.localeCompare(b.channel))
      .slice(0, CHANNELS_MAX)
      .map((channel) => {
        const entry = known.get(channel.channel) ?? new ChannelEntry(channel);
        entry.update(channel);
        return entry;
      });
    if (shown.length !== this.list.length || shown.some((entry, k) => entry !== this.list[k]))
      this.list = shown;
    await Promise.all(shown.map((entry) => this.#fetch(entry, this.#view)));
  }

  async #fetch(entry: ChannelEntry, view: Span | null): Promise<void> {
    if (!view) return;
    const range = { start: view.from, end: view.to };
    const rows = await api.listChannelMinutes(this.streamId, entry.name, range, this.#abort.signal);
    if (entry.minutes.add(rows)) entry.version += 1;
    if (this.#view) entry.minutes.trim(this.#view, range.start);
  }

  #afterNextMinute(): void {
    const now = Date.now();
    const wait = floorMinute(now) + MINUTE + CLOSING_MS - now;
    this.#timer = setTimeout(() => {
      const end = Date.now();
      const last = { from: end - 6 * MINUTE, to: end };
      this.#quietly(Promise.all(this.list.map((entry) => this.#fetch(entry, last))));
      this.#afterNextMinute();
    }, wait);
  }

  /** A failure here costs one refresh of a small chart; the next minute asks again. */
  #quietly(work: Promise<unknown>): void {
    work.catch(() => undefined);
  }
}
