/* The commands of a device as the address filters them, and one that the address names although it is
   not on the pages read so far. */
import { deviceApi, type Command, type CommandFilter, type DeviceMessage } from '../api-devices';
import { applyResult, catchUp } from '../commands';
import { PagedList } from './paged-list.svelte';

const SOON_MS = 400;
const PAGE = 30;

export type WantedCommands = Omit<CommandFilter, 'limit' | 'cursor'>;

export class CommandList extends PagedList<Command> {
  /** One that is looked at. */
  #named: string | null = null;

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
    this.rows = this.rows.map((row) =>
      row.command_id === value.command_id ? applyResult(row, value, timestamp) : row,
    );
    this.loadSoon();
  }

  protected override ask(cursor?: string) {
    return deviceApi.listCommands(this.deviceId, { ...this.wanted, limit: PAGE, cursor });
  }

  protected override idOf(row: Command): string {
    return row.command_id;
  }

  /** A result may have been heard while the page was on its way. */
  protected override choose(known: Command, read: Command): Command {
    return catchUp(known, read);
  }

  protected override keeps(row: Command, page: readonly Command[]): boolean {
    return row.command_id === this.#named || super.keeps(row, page);
  }
}
