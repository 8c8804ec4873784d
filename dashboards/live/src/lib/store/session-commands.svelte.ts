/* The commands of the devices that a session looks at, as far as the key reaches them: read once, and
   again while something may come of one. Without them the session is whole. */
import { deviceApi, type Command } from '../api-devices';
import { readAll } from '../lists';
import { poll } from '../poll';
import { joinCommands, readFrom } from '../session-commands';

const POLL_MS = 4000;
const PAGE = 1000;
/** A stream may become a device while the session goes on; it is looked for once a minute. */
const LOOK_EVERY = 15;

export class SessionCommands {
  /** The older first. */
  rows = $state.raw<readonly Command[]>([]);

  /** Read those of these streams since then until the answer is called; `end` is null while the
      session goes on. */
  follow(streams: readonly string[], begin: number, end: number | null): () => void {
    const known = new Map<string, Command[]>();
    let ids: string[] = [];
    let round = 0;
    let over = false;

    const ask = async (): Promise<void> => {
      if (round % LOOK_EVERY === 0) ids = await this.#findDevices(streams);
      round += 1;
      const going = ids.filter((id) => end === null || isUnsettled(known.get(id)));
      for (const id of going) {
        const had = known.get(id) ?? [];
        const read = await this.#read(id, readFrom(had, begin), end).catch(() => null);
        if (read) known.set(id, joinCommands(had, read));
      }
      if (!over && going.length) this.rows = joinCommands([], [...known.values()].flat());
    };
    const stop = poll(ask, POLL_MS);
    return () => {
      over = true;
      stop();
    };
  }

  /** A list says which streams are devices; asking for each would be told in the console. */
  async #findDevices(streams: readonly string[]): Promise<string[]> {
    const wanted = new Set(streams);
    const devices = await deviceApi.list();
    return devices.map(({ device_id: id }) => id).filter((id) => wanted.has(id));
  }

  #read(id: string, from: number, end: number | null): Promise<Command[]> {
    const since = new Date(from).toISOString();
    const until = end === null ? undefined : new Date(end).toISOString();
    return readAll((cursor) =>
      deviceApi.listCommands(id, { since, until, limit: PAGE, cursor }),
    );
  }
}

/** Not read yet, or with one that has not ended. */
const isUnsettled = (commands: readonly Command[] | undefined): boolean =>
  !commands || commands.some(({ ended_at: at }) => at === null);
