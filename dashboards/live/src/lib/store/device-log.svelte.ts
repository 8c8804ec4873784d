/* The log of a device as the address filters it, newest first. The first page is read again and
   again until somebody reads on: then it stands still. */
import { deviceApi, type LogFilter, type LogLine } from '../api-devices';
import { type Problem, toProblem } from '../problem';

const PAGE = 50;

export type WantedLines = Omit<LogFilter, 'limit' | 'cursor'>;

export class DeviceLog {
  rows = $state.raw<readonly LogLine[]>([]);
  total = $state(0);
  filtered = $state(0);
  loaded = $state(false);
  problem = $state.raw<Problem | null>(null);
  loadingOlder = $state(false);
  cursor = $state<string | null>(null);

  #readsOn = false;

  constructor(
    readonly deviceId: string,
    readonly wanted: WantedLines,
  ) {}

  async load(): Promise<void> {
    if (this.#readsOn) return;
    try {
      const page = await deviceApi.readLog(this.deviceId, { ...this.wanted, limit: PAGE });
      if (this.#readsOn) return;
      [this.rows, this.cursor] = [page.data, page.next_cursor];
      [this.total, this.filtered] = [page.total_records, page.filtered_records];
      [this.loaded, this.problem] = [true, null];
    } catch (error) {
      if (!this.loaded) this.problem = toProblem(error);
    }
  }

  async loadOlder(): Promise<void> {
    const { cursor } = this;
    if (this.loadingOlder || cursor === null) return;
    this.loadingOlder = this.#readsOn = true;
    try {
      const wanted = { ...this.wanted, limit: PAGE, cursor };
      const page = await deviceApi.readLog(this.deviceId, wanted);
      [this.rows, this.cursor] = [[...this.rows, ...page.data], page.next_cursor];
    } catch (error) {
      this.problem = toProblem(error);
    } finally {
      this.loadingOlder = false;
    }
  }

  /** Delete all of it; tells how many lines, and whether nothing is left. */
  async clear(): Promise<{ lines: number; isComplete: boolean }> {
    const told = await deviceApi.clearLog(this.deviceId);
    this.#readsOn = false;
    await this.load();
    return { lines: told.deleted_records, isComplete: told.complete };
  }
}
