/* One device that is open: what it registered, the newest of each value, and their last hour. The
   values come from the socket of all devices; what was there before is read once. */
import { deviceApi, CURVES_MAX, type DeviceMessage, type Template } from '../api-devices';
import type { LinkChange, TelemetryType } from '../api-devices';
import { api } from '../api';
import { isNumeric, Pace } from '../device-values';
import { MINUTE } from '../format';
import { limitsOf, type Limit } from '../limits';
import { paced } from '../loop';
import { floorMinute } from '../minutes';
import { Problem, toProblem } from '../problem';
import { Ring } from '../ring';
import { devices, type DeviceListener } from './devices.svelte';
import { link } from './link.svelte';

const SHOW_EVERY_MS = 250;
const HOUR_SLOTS = 60;
/** Sparklines that are asked for; of a device with more, the rest begins with what comes. */
const COURSES_MAX = 64;
/** Lines of the log that are read for what was last said of all values, and of one that is not
    among them; of more values than that it is learnt as they come. */
const LOG_LINES = 1000;
const LINES_OF_ONE = 9;
const ASKED_MAX = 24;
/** Streams that are looked through for the one of this device, and letters of a search. */
const STREAMS_MAX = 500;
const WORDS_MAX = 100;
const STREAM_AGAIN_MS = 15_000;

/** The newest of one value. */
export class LiveValue {
  value = $state.raw<unknown>(undefined);
  at = $state<number | null>(null);
  /** How often it comes; null where that cannot be said. */
  interval = $state<number | null>(null);
  /** Counts changes of the course, which is filled in place. */
  version = $state(0);
  readonly course = new Ring(HOUR_SLOTS);
  type = $state.raw<TelemetryType>() as TelemetryType;

  #pace = new Pace();
  #next: { value: unknown; at: number } | null = null;
  #newest = -Infinity;

  constructor(
    readonly name: string,
    type: TelemetryType,
  ) {
    this.type = type;
  }

  /** Take a point; tells whether there is something new to show. */
  take(value: unknown, at: number): boolean {
    if (!(at >= this.#newest)) return false;
    this.#newest = at;
    this.#pace.note(at);
    this.#next = { value, at };
    return true;
  }

  /** Learn from times before, oldest first, how often it comes. */
  learn(times: readonly number[]): void {
    if (this.#pace.interval !== null) return;
    this.#pace = new Pace();
    times.forEach((at) => this.#pace.note(at));
    this.interval = this.#pace.interval;
  }

  show(): void {
    if (!this.#next) return;
    this.value = this.#next.value;
    this.at = this.#next.at;
    this.interval = this.#pace.interval;
    if (typeof this.value === 'number') this.put(this.at, this.value);
    this.#next = null;
  }

  /** Put the mean of a minute into the course, or until there is one, the newest value. */
  put(at: number, value: number): void {
    if (this.course.set(floorMinute(at) / MINUTE, value)) this.version += 1;
  }

  /** Time passes without a value, too. */
  advance(now: number): void {
    if (this.course.advance(floorMinute(now) / MINUTE)) this.version += 1;
  }
}

export class OpenDevice implements DeviceListener {
  values = $state.raw<readonly LiveValue[]>([]);
  templates = $state.raw<Readonly<Record<string, Template>>>({});
  limits = $state.raw<Readonly<Record<string, readonly Limit[]>>>({});
  /** The last change of its link. */
  lastLink = $state.raw<LinkChange | null>(null);
  loaded = $state(false);
  problem = $state.raw<Problem | null>(null);

  #byName = new Map<string, LiveValue>();
  #changed = new Set<LiveValue>();
  #ears = new Set<(message: DeviceMessage) => void>();
  #over = false;
  #later: ReturnType<typeof setTimeout> | undefined;
  #show = paced(() => this.show(), SHOW_EVERY_MS);

  constructor(readonly deviceId: string) {}

  async load(): Promise<void> {
    try {
      const [types, templates, links] = await Promise.all([
        deviceApi.getTypes(this.deviceId),
        deviceApi.getTemplates(this.deviceId),
        deviceApi.listLinks(this.deviceId, 1),
      ]);
      if (this.#over) return;
      this.templates = templates;
      this.#turn(links.data[0]);
      this.#keep(types);
      [this.loaded, this.problem] = [true, null];
    } catch (error) {
      if (!this.loaded || toProblem(error).status === 404) this.problem = toProblem(error);
      return;
    }
    await Promise.all([this.#readLog(), this.#readStream()]);
  }

  /** Also hear what is no value: what became of commands, and of the link. */
  listen(ear: (message: DeviceMessage) => void): () => void {
    this.#ears.add(ear);
    return () => void this.#ears.delete(ear);
  }

  hear(message: DeviceMessage): void {
    if (message.type === 'data') this.#take(message.id, message.value, message.timestamp);
    else for (const ear of this.#ears) ear(message);
    if (message.type === 'device_link' && message.state !== 'replaced') {
      const { state, reason, timestamp: at } = message;
      this.#turn({ id: 0, state, at, reason });
      if (state === 'connected') void this.load();
    }
  }

  async catchUp(): Promise<void> {
    if (this.loaded) await this.load();
  }

  /** Values stand still while somebody holds the picture. */
  show(): void {
    if (link.pausedAt !== null) return;
    for (const value of this.#changed) value.show();
    this.#changed.clear();
  }

  stop(): void {
    this.#over = true;
    clearTimeout(this.#later);
    this.#show.cancel();
  }

  /** The minutes of the last hour. The newest points are drawn already: a failure costs a line. */
  async #readCourses(): Promise<void> {
    const numeric = this.values.filter(({ type }) => isNumeric(type)).slice(0, COURSES_MAX);
    const start = floorMinute(Date.now()) - HOUR_SLOTS * MINUTE;
    for (let first = 0; first < numeric.length && !this.#over; first += CURVES_MAX) {
      const some = numeric.slice(first, first + CURVES_MAX);
      const names = some.map(({ name }) => name);
      const told = await deviceApi
        .readCourses(this.deviceId, names, start)
        .catch(() => null);
      for (const curve of told?.data ?? []) {
        const value = this.#byName.get(curve.channel ?? '');
        curve.values.forEach((mean, place) => {
          const time = told?.times[place];
          if (value && time !== undefined && mean !== null) value.put(Date.parse(time), mean);
        });
      }
    }
  }

  #keep(types: Readonly<Record<string, TelemetryType>>): void {
    const names = Object.keys(types).sort((a, b) => a.localeCompare(b));
    const known = devices.find(this.deviceId)?.points;
    this.values = names.map((name) => {
      const value = this.#byName.get(name) ?? new LiveValue(name, types[name]!);
      value.type = types[name]!;
      return value;
    });
    this.#byName = new Map(this.values.map((value) => [value.name, value]));
    for (const [name, { value, timestamp }] of known ?? []) this.#take(name, value, timestamp);
  }

  /** An answer may be older than what was told since it was asked for. */
  #turn(told: LinkChange | undefined): void {
    const known = this.lastLink ? Date.parse(this.lastLink.at) : -Infinity;
    if (told && Date.parse(told.at) >= known) this.lastLink = told;
  }

  #take(name: string, value: unknown, timestamp: string): void {
    const known = this.#byName.get(name);
    if (!known?.take(value, Date.parse(timestamp))) return;
    this.#changed.add(known);
    this.#show();
  }

  /** What was said before the page was opened: the newest of each value, and how often it comes. */
  async #readLog(): Promise<void> {
    await this.#learn({ limit: LOG_LINES });
    const unknown = this.values.filter(({ interval }) => interval === null).slice(0, ASKED_MAX);
    await Promise.all(unknown.map(({ name: id }) => this.#learn({ id, limit: LINES_OF_ONE })));
  }

  async #learn(wanted: { id?: string; limit: number }): Promise<void> {
    const page = await deviceApi
      .readLog(this.deviceId, { type: 'data', ...wanted })
      .catch(() => null);
    const times = new Map<string, number[]>();
    for (const { id, value, timestamp } of page?.data.toReversed() ?? []) {
      times.set(id, [...(times.get(id) ?? []), Date.parse(timestamp)].slice(-LINES_OF_ONE));
      this.#take(id, value, timestamp);
    }
    for (const [id, known] of times) this.#byName.get(id)?.learn(known);
  }

  /** A device is a stream when its first number has been taken: until then it has no limits and no
      minutes, and it is looked for, not asked for. */
  async #readStream(): Promise<void> {
    clearTimeout(this.#later);
    const words = this.deviceId.slice(0, WORDS_MAX);
    const streams = await api.findStreams(words, STREAMS_MAX).catch(() => []);
    if (this.#over) return;
    const stream = streams.find(({ id }) => id === this.deviceId);
    if (!stream) {
      this.#later = setTimeout(() => void this.#readStream(), STREAM_AGAIN_MS);
      return;
    }
    void this.#readCourses();
    const found = this.values.map(({ name }) => [name, limitsOf(stream.metadata, name)] as const);
    this.limits = Object.fromEntries(found.filter(([, limits]) => limits.length));
  }
}
