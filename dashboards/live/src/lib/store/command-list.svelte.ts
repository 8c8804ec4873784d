/* The commands of a device as the address filters them, and one that the address names although it is
   not on the pages read so far. */
import {
  deviceApi,
  type Command,
  type CommandFilter,
  type CommandResult,
  type DeviceMessage,
} from '../api-devices';
import { applyResult } from '../commands';
import { PagedList } from './paged-list.svelte';

const SOON_MS = 400;
const PAGE = 30;
/** Commands of which the last word is remembered: of more, a page is newer than the word. */
const HEARD_MAX = 100;

export type WantedCommands = Omit<CommandFilter, 'limit' | 'cursor'>;

export class CommandList extends PagedList<Command> {
  /** One that is looked at. */
  #named: string | null = null;
  /** The last word about each: a page that was on its way meanwhile may be older. */
  readonly #heard = new Map<string, { value: CommandResult; timestamp: string }>();

  constructor(
    readonly deviceId: string,
    readonly wanted: WantedCommands,
  ) {
    super(SOON_MS);
  }

  /** Look at one, wherever in the list it stands; of one that is not there nothing is shown. */
  async name(id: string | null): Promise<void> {
    this.#named = id;
    if (id === null || this.rows.some((row) => row.command_id === id)) return;
    const row = await deviceApi.getCommand(this.deviceId, id).catch(() => null);
    if (row && this.#named === id) this.put(row);
  }

  hear(message: DeviceMessage): void {
    if (message.type !== 'command_result' || message.value.command_id === null) return;
    const { value, timestamp } = message;
    this.#remember(message.value.command_id, { value, timestamp });
    this.rows = this.rows.map((row) =>
      row.command_id === value.command_id ? applyResult(row, value, timestamp) : row,
    );
    this.loadSoon();
  }

  protected override async ask(cursor?: string) {
    const wanted = { ...this.wanted, limit: PAGE, cursor };
    const page = await deviceApi.listCommands(this.deviceId, wanted);
    return { ...page, data: page.data.map((row) => this.#bringUp(row)) };
  }

  protected override idOf(row: Command): string {
    return row.command_id;
  }

  protected override keeps(row: Command, page: readonly Command[]): boolean {
    return row.command_id === this.#named || super.keeps(row, page);
  }

  #remember(id: string, said: { value: CommandResult; timestamp: string }): void {
    this.#heard.delete(id);
    this.#heard.set(id, said);
    const [oldest] = this.#heard.keys();
    if (this.#heard.size > HEARD_MAX && oldest !== undefined) this.#heard.delete(oldest);
  }

  #bringUp(row: Command): Command {
    const heard = this.#heard.get(row.command_id);
    return heard ? applyResult(row, heard.value, heard.timestamp) : row;
  }
}
