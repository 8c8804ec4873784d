/* The commands that were sent from this page and are still looked at: each with its stages as they
   come, and with what releases one that is held. */
import { deviceApi, type Command, type CommandWish, type DeviceMessage } from '../api-devices';
import { applyResult, catchUp, confirmationOf, hasEnded, isHeld } from '../commands';
import { toProblem } from '../problem';

const SHOWN_MAX = 4;
/** A result that was missed on the way is read. */
const LOOK_EVERY_MS = 5000;

export class SentCommand {
  row = $state.raw<Command>() as Command;
  /** What releases it; null when it need not be released. */
  token = $state<string | null>(null);
  busy = $state<'confirm' | 'cancel' | null>(null);
  failure = $state('');

  constructor(row: Command, token: string | null) {
    this.row = row;
    this.token = token;
  }

  get isHeld(): boolean {
    return this.token !== null && isHeld(this.row);
  }

  async confirm(): Promise<void> {
    const { device_id, command_id } = this.row;
    const { token } = this;
    if (token === null) return;
    await this.#act('confirm', () => deviceApi.confirm(device_id, command_id, token));
  }

  async cancel(): Promise<void> {
    const { device_id, command_id } = this.row;
    await this.#act('cancel', () => deviceApi.cancel(device_id, command_id));
  }

  async look(): Promise<void> {
    const { device_id, command_id } = this.row;
    const row = await deviceApi.getCommand(device_id, command_id).catch(() => null);
    if (row) this.row = catchUp(this.row, row);
  }

  async #act(what: 'confirm' | 'cancel', ask: () => Promise<Command>): Promise<void> {
    if (this.busy) return;
    [this.busy, this.failure] = [what, ''];
    try {
      const row = await ask();
      // A later stage may have been heard before this answer came.
      if (!hasEnded(this.row) && this.row.state === 'queued') this.row = row;
      else this.row = { ...this.row, held: false };
    } catch (error) {
      this.failure = toProblem(error).detail;
      await this.look();
    } finally {
      this.busy = null;
    }
  }
}

export class SentCommands {
  list = $state.raw<readonly SentCommand[]>([]);

  constructor(readonly deviceId: string) {}

  /** Send one; what the server refuses is thrown. */
  async send(wish: CommandWish, requestId: string): Promise<SentCommand> {
    const queued = await deviceApi.send(this.deviceId, wish, requestId);
    const sent = new SentCommand(queued, confirmationOf(queued)?.token ?? null);
    // Its first stages may have been heard before it was known here.
    if (!sent.isHeld) void sent.look();
    const others = this.list.filter(({ row }) => row.command_id !== queued.command_id);
    const going = others.filter(({ row }) => !hasEnded(row));
    const kept = new Set([...going, ...others].slice(0, SHOWN_MAX - 1));
    this.list = [sent, ...others.filter((one) => kept.has(one))];
    return sent;
  }

  close(sent: SentCommand): void {
    this.list = this.list.filter((one) => one !== sent);
  }

  hear(message: DeviceMessage): void {
    if (message.type !== 'command_result') return;
    const sent = this.list.find(({ row }) => row.command_id === message.value.command_id);
    if (sent) sent.row = applyResult(sent.row, message.value, message.timestamp);
  }

  /** Look at those that have not ended, until the answer is called. */
  watch(): () => void {
    const timer = setInterval(() => {
      for (const sent of this.list) if (!hasEnded(sent.row)) void sent.look();
    }, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }
}
