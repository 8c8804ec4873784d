/* The numeric channels of one stream. Closed minutes are read from the API, again after every
   minute; readings that arrive live move the last value and stand for the open minute until it
   closes. */
import { api } from '../api';
import { chartApi, type ChannelWindow } from '../api-stream';
import { MINUTE } from '../format';
import { paced } from '../loop';
import { floorMinute, type Span } from '../minutes';
import type { Batch } from '../queue';
import type { Channel, ChannelMinute, Reading } from '../types';
import { MinuteFeed, type Windows } from './feed.svelte';
import { link, type Listener } from './link.svelte';
import { Shared } from './shared';

const TEXT_EVERY_MS = 1000;
/** The flow needs a few seconds to close a minute; asking earlier would miss it. */
const CLOSING_MS = 12_000;
/** A minute may be revised this long after it closed. */
const REVISION_MS = 6 * MINUTE;
/** More small charts than this hide one another; the first by name are shown. */
export const CHANNELS_MAX = 16;

const isNewerMinute = (row: ChannelMinute, known: ChannelMinute): boolean =>
  row.final !== known.final ? row.final : !row.final || row.revision >= known.revision;

/** One channel, for all charts that show it. */
export class ChannelFeed extends MinuteFeed<ChannelMinute, ChannelWindow> implements Listener {
  readonly topics: readonly string[];
  unit = $state<string | null>(null);
  lastValue = $state<number | null>(null);
  lastAt = $state<number | null>(null);

  #reading: Reading | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #unlisten: (() => void) | null = null;
  #publish = paced(() => this.#show(), TEXT_EVERY_MS);

  constructor(
    readonly stream: string,
    readonly name: string,
  ) {
    super(isNewerMinute);
    this.topics = [stream];
  }

  /** Follow it live, once it is known that its stream exists. */
  follow(): void {
    if (this.#unlisten || this.abort.signal.aborted) return;
    this.#unlisten = link.listen(this);
    this.#afterNextMinute();
  }

  /** What a list of channels says of it. */
  update(channel: Channel): void {
    this.unit = channel.unit;
    const at = Date.parse(channel.last_at);
    if (at < (this.lastAt ?? -Infinity)) return;
    this.lastAt = at;
    this.lastValue = channel.last_value;
  }

  take(batch: Batch): void {
    for (const { streamId, reading } of batch.readings)
      if (streamId === this.stream && reading.channel === this.name) {
        this.#reading = reading;
        this.#publish();
      }
  }

  async catchUp(since: number | null): Promise<void> {
    if (since === null || !this.minutes.bounds) return;
    const from = Math.min(since, this.minutes.bounds.to) - REVISION_MS;
    this.add(await this.readMinutes({ from, to: Date.now() }));
  }

  stop(): void {
    this.#unlisten?.();
    this.abort.abort();
    clearTimeout(this.#timer);
    this.#publish.cancel();
  }

  protected async readMinutes({ from, to }: Span): Promise<readonly ChannelMinute[]> {
    const range = { start: from, end: to };
    return api.listChannelMinutes(this.stream, this.name, range, this.abort.signal);
  }

  protected readWindows({ from, to }: Span): Promise<Windows<ChannelWindow>> {
    const range = { start: from, end: to };
    return chartApi.listChannelWindows(this.stream, this.name, range, this.abort.signal);
  }

  protected override changed(): void {
    const last = this.minutes.last;
    if (!last) return;
    this.unit ??= last.unit;
    // Until a reading arrives, the last one of the newest minute is the newest known.
    const end = Date.parse(last.window_end);
    if (this.lastAt !== null && end <= this.lastAt + MINUTE) return;
    this.lastAt = end;
    this.lastValue = last.last;
  }

  #show(): void {
    if (!this.#reading) return;
    this.lastValue = this.#reading.value;
    this.lastAt = Date.parse(this.#reading.timestamp);
    this.unit ??= this.#reading.unit;
    this.version += 1;
  }

  #afterNextMinute(): void {
    const now = Date.now();
    const wait = floorMinute(now) + MINUTE + CLOSING_MS - now;
    this.#timer = setTimeout(() => {
      const end = Date.now();
      // A failure here costs one refresh of a chart; the next minute asks again.
      this.readMinutes({ from: end - REVISION_MS, to: end }).then(
        (rows) => this.add(rows),
        () => undefined,
      );
      this.#afterNextMinute();
    }, wait);
  }
}

/** No name holds a line break. */
const SEPARATOR = '\n';
export const channelFeeds = new Shared((key) => {
  const [stream = '', name = ''] = key.split(SEPARATOR);
  return new ChannelFeed(stream, name);
});
export const channelKey = (stream: string, name: string): string => stream + SEPARATOR + name;

/** Which channels a stream has. */
export class ChannelList implements Listener {
  readonly topics: readonly string[];
  names = $state.raw<string[]>([]);
  total = $state(0);
  /** Whether it is known which there are, or that nobody knows. */
  loaded = $state(false);

  #known = new Set<string>();
  /** Those shown: what the list says of them is kept for their charts. */
  #held = new Map<string, ChannelFeed>();
  #abort = new AbortController();
  #unlisten: (() => void) | null = null;
  #reload = paced(() => void this.load(), 3000);

  constructor(readonly streamId: string) {
    this.topics = [streamId];
  }

  /** Most streams have no channels: that their list failed is no news beside the minutes. */
  async load(): Promise<void> {
    const channels = await api
      .listChannels(this.streamId, this.#abort.signal)
      .catch(() => null);
    this.loaded = true;
    if (!channels || this.#abort.signal.aborted) return;
    // It exists: the socket may close over an unknown one.
    this.#unlisten ??= link.listen(this);
    this.#known = new Set(channels.map((one) => one.channel));
    this.total = channels.length;
    const names = [...this.#known].sort((a, b) => a.localeCompare(b)).slice(0, CHANNELS_MAX);
    for (const name of names)
      if (!this.#held.has(name))
        this.#held.set(name, channelFeeds.take(channelKey(this.streamId, name)));
    for (const channel of channels) this.#held.get(channel.channel)?.update(channel);
    if (names.join(SEPARATOR) !== this.names.join(SEPARATOR)) this.names = names;
  }

  take(batch: Batch): void {
    const isNew = batch.readings.some(
      ({ streamId, reading }) => streamId === this.streamId && !this.#known.has(reading.channel),
    );
    if (isNew) this.#reload();
  }

  async catchUp(since: number | null): Promise<void> {
    if (since !== null) await this.load();
  }

  stop(): void {
    this.#unlisten?.();
    this.#abort.abort();
    this.#reload.cancel();
    for (const name of this.#held.keys()) channelFeeds.drop(channelKey(this.streamId, name));
  }
}
