/* All devices and their links, and the one socket on which they are heard while somebody looks. Of
   each value the newest is kept here; whoever shows one device is told at once. */
import { deviceApi, type Device, type DeviceMessage } from '../api-devices';
import { toProblem, type Problem } from '../problem';
import { NOT_YET, ReturningSocket, type LinkStatus } from '../socket';
import { socketAddress } from '../socket-address';
import { access } from './access.svelte';
import { clock } from './clock.svelte';

const TICK_MS = 1000;
/** The rate of a device is that of its last seconds. */
const RATE_S = 8;
/** Messages of devices that are being asked for; there are no more until the answer. */
const EARLY_MAX = 5000;

export type LinkState = Device['link'];
type Point = Extract<DeviceMessage, { type: 'data' }>;

/** Somebody who shows one device. */
export interface DeviceListener {
  deviceId: string;
  hear(message: DeviceMessage): void;
  /** Messages may have been missed. */
  catchUp(): Promise<void>;
}

/** One device in the list. */
export class DeviceEntry {
  info = $state.raw<Device>() as Device;
  link = $state<LinkState>('gone');
  seenAt = $state(0);
  /** Values a second that reach this page; null until there was time to count. */
  rate = $state<number | null>(null);
  /** Newest point of each value, by its id. */
  readonly points = new Map<string, Point>();

  #counts: number[] | null = null;
  #count = 0;
  #heardAt = 0;

  constructor(info: Device) {
    this.update(info);
  }

  get name(): string {
    return this.info.title ?? this.info.device_id;
  }

  update(info: Device): void {
    this.info = info;
    this.link = info.link;
    this.seenAt = Math.max(this.seenAt, Date.parse(info.last_seen_at));
  }

  hear(point: Point): void {
    this.points.set(point.id, point);
    this.#count += 1;
    this.#heardAt = Date.now();
  }

  /** Nobody counts any more; who does later begins anew. */
  rest(): void {
    this.#counts = this.rate = null;
  }

  tick(): void {
    // What was known before came in the first second, all at once: it says nothing of the pace.
    if (this.#counts === null) this.#counts = [];
    else this.#counts = [...this.#counts, this.#count].slice(-RATE_S);
    if (this.#counts.length)
      this.rate = this.#counts.reduce((sum, n) => sum + n, 0) / this.#counts.length;
    if (this.#count && this.link === 'connected')
      this.seenAt = Math.max(this.seenAt, this.#heardAt + clock.now - clock.local);
    this.#count = 0;
  }
}

class DeviceList {
  entries = $state.raw<readonly DeviceEntry[]>([]);
  loaded = $state(false);
  problem = $state.raw<Problem | null>(null);
  status = $state.raw<LinkStatus>(NOT_YET);

  #byId = new Map<string, DeviceEntry>();
  #listeners = new Set<DeviceListener>();
  #users = 0;
  #ticking: ReturnType<typeof setInterval> | undefined;
  /** Messages of devices that are not in the list yet. */
  #early: DeviceMessage[] = [];
  #asking: Promise<void> | null = null;
  #socket = new ReturningSocket<DeviceMessage>({
    address: () => socketAddress('/ws/devices'),
    refuse: () => access.refuse(access.key),
    status: (status) => (this.status = status),
    measure: () => undefined,
    receive: (message) => this.#hear(message),
    catchUp: () => this.#catchUp(),
  });

  get connected(): number {
    return this.entries.filter(({ link }) => link === 'connected').length;
  }

  find(id: string): DeviceEntry | undefined {
    return this.entries.find(({ info }) => info.device_id === id);
  }

  /** Hear devices until the answer is called. */
  follow(): () => void {
    this.#users += 1;
    if (this.#users === 1) {
      this.#socket.start();
      this.#ticking = setInterval(() => this.entries.forEach((entry) => entry.tick()), TICK_MS);
    }
    return () => {
      this.#users -= 1;
      if (this.#users) return;
      clearInterval(this.#ticking);
      this.entries.forEach((entry) => entry.rest());
      this.#socket.stop();
      this.status = NOT_YET;
    };
  }

  listen(listener: DeviceListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  retryNow(): void {
    this.#socket.retryNow();
  }

  /** Read the list; who asks while it is being read gets the same. */
  load(): Promise<void> {
    this.#asking ??= this.#read();
    return this.#asking;
  }

  async #read(): Promise<void> {
    let found: Device[] = [];
    let early: DeviceMessage[] = [];
    try {
      found = await deviceApi.list();
      early = this.#early;
    } catch (error) {
      if (!this.loaded) this.problem = toProblem(error);
      throw error;
    } finally {
      // Whatever is heard from here on is newer than this list, and older than the next.
      [this.#early, this.#asking] = [[], null];
    }
    this.#show(found);
    // What still belongs to nobody has been deleted meanwhile.
    for (const message of early)
      if ('device_id' in message && this.#byId.has(message.device_id)) this.#hear(message);
  }

  #show(found: readonly Device[]): void {
    const kept = new Map(this.#byId);
    this.#byId.clear();
    for (const info of found) {
      const entry = kept.get(info.device_id) ?? new DeviceEntry(info);
      entry.update(info);
      this.#byId.set(info.device_id, entry);
    }
    this.entries = [...this.#byId.values()].sort((a, b) => a.name.localeCompare(b.name));
    [this.loaded, this.problem] = [true, null];
  }

  async #catchUp(): Promise<void> {
    await this.load();
    await Promise.all([...this.#listeners].map((one) => one.catchUp()));
  }

  #hear(message: DeviceMessage): void {
    if (!('device_id' in message) || !message.device_id) return;
    const entry = this.#byId.get(message.device_id);
    const isLink = message.type === 'device_link';
    // A list that is on its way may say what was true before this.
    if ((!entry || (isLink && this.#asking)) && this.#early.length < EARLY_MAX)
      this.#early.push(message);
    if (!entry) {
      this.load().catch(() => undefined);
      return;
    }
    if (message.type === 'data') entry.hear(message);
    else if (message.type === 'device_link') this.#turn(entry, message);
    for (const listener of this.#listeners)
      if (listener.deviceId === message.device_id) listener.hear(message);
  }

  #turn(entry: DeviceEntry, message: Extract<DeviceMessage, { type: 'device_link' }>): void {
    if (message.state !== 'replaced') entry.link = message.state;
    entry.seenAt = Math.max(entry.seenAt, Date.parse(message.timestamp));
    // It may have registered something else, or under another name.
    if (message.state === 'connected') setTimeout(() => this.load().catch(() => undefined));
  }
}

export const devices = new DeviceList();
