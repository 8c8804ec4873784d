/* The commands of a device as the address filters them: its first page is read again and again, and
   soon after something became of one; older pages are read when they are asked for and stay. */
import {
  deviceApi,
  type Command,
  type CommandFilter,
  type DeviceMessage,
} from '../api-devices';
import { applyResult, catchUpAll, mergeCommands } from '../commands';
import { type Problem, toProblem } from '../problem';

/** Results come in bursts; the list is read once for all of them. */
const SOON_MS = 400;
const PAGE = 30;

export type WantedCommands = Omit<CommandFilter, 'limit' | 'cursor'>;

export class CommandList {
  rows = $state.raw<Command[]>([]);
  loaded = $state(false);
  problem = $state.raw<Problem | null>(null);
  hasOlder = $state(false);
  loadingOlder = $state(false);

  /** Where the first page ends, as it was last read. */
  #first: string | null = null;
  /** Where the pages read so far end; undefined until an older one was asked for. */
  #cursor: string | null | undefined;
  #soon: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly deviceId: string,
    readonly wanted: WantedCommands,
  ) {}

  async load(): Promise<void> {
    try {
      const page = await deviceApi.listCommands(this.deviceId, { ...this.wanted, limit: PAGE });
      const listed = catchUpAll(this.rows, page.data);
      if (this.#cursor === undefined) {
        this.rows = listed;
        this.hasOlder = page.next_cursor !== null;
        this.#first = page.next_cursor;
      } else {
        this.rows = mergeCommands(this.#keep(listed), listed);
      }
      [this.loaded, this.problem] = [true, null];
    } catch (error) {
      if (!this.loaded) this.problem = toProblem(error);
    }
  }

  async loadOlder(): Promise<void> {
    const cursor = this.#cursor === undefined ? this.#first : this.#cursor;
    if (this.loadingOlder || cursor === null) return;
    this.loadingOlder = true;
    try {
      const wanted = { ...this.wanted, limit: PAGE, cursor };
      const page = await deviceApi.listCommands(this.deviceId, wanted);
      this.#cursor = page.next_cursor;
      this.rows = mergeCommands(this.rows, page.data);
      this.hasOlder = page.next_cursor !== null;
    } catch (error) {
      this.problem = toProblem(error);
    } finally {
      this.loadingOlder = false;
    }
  }

  hear(message: DeviceMessage): void {
    if (message.type !== 'command_result' || message.value.command_id === null) return;
    const { value, timestamp } = message;
    this.rows = this.rows.map((row) =>
      row.command_id === value.command_id ? applyResult(row, value, timestamp) : row,
    );
    this.loadSoon();
  }

  loadSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      void this.load();
    }, SOON_MS);
  }

  stop(): void {
    clearTimeout(this.#soon);
  }

  /** What is as new as the first page and not on it does not fit the filter any more. */
  #keep(listed: readonly Command[]): Command[] {
    const oldest = listed.at(-1)?.created_at;
    return oldest === undefined ? [] : this.rows.filter((row) => row.created_at < oldest);
  }
}
