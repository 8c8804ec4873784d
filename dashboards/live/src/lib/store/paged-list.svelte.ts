/* A list of the API, newest first, of which somebody looks at the first page: that is read again and
   again, and soon after something of it changed; older pages are read when they are asked for and
   stay.

     first page ◄── read again          older ─► older ─► the end */
import { mergeRows, type Row } from '../paged-rows';
import { toProblem, type Problem } from '../problem';

interface Page<T> {
  data: T[];
  next_cursor: string | null;
}

export abstract class PagedList<T extends Row> {
  rows = $state.raw<T[]>([]);
  loaded = $state(false);
  problem = $state.raw<Problem | null>(null);
  hasOlder = $state(false);
  loadingOlder = $state(false);

  /** Where the first page ends, as it was last read. */
  #first: string | null = null;
  /** Where the pages read so far end; undefined until an older one was asked for. */
  #cursor: string | null | undefined;
  #soon: ReturnType<typeof setTimeout> | undefined;

  /** Changes come in bursts; the list is read once for all that come in `soonMs`. */
  constructor(private readonly soonMs: number) {}

  protected abstract ask(cursor?: string): Promise<Page<T>>;
  protected abstract idOf(row: T): string;

  /** Which of both is shown, when one is read that is known already. */
  protected choose(_known: T, read: T): T {
    return read;
  }

  /** Whether a row that is not on the first page any more is kept. */
  protected keeps(row: T, page: readonly T[]): boolean {
    // What is as new as the page and not on it does not fit the filter any more.
    const oldest = page.at(-1)?.created_at;
    return this.#cursor !== undefined && oldest !== undefined && row.created_at < oldest;
  }

  async load(): Promise<void> {
    try {
      const page = await this.ask();
      this.#first = page.next_cursor;
      if (this.#cursor === undefined) this.hasOlder = page.next_cursor !== null;
      const ids = new Set(page.data.map((row) => this.idOf(row)));
      const kept = this.rows.filter((row) => ids.has(this.idOf(row)) || this.keeps(row, page.data));
      this.rows = this.#merge(kept, page.data);
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
      const page = await this.ask(cursor);
      this.#cursor = page.next_cursor;
      this.put(...page.data);
      this.hasOlder = page.next_cursor !== null;
    } catch (error) {
      this.problem = toProblem(error);
    } finally {
      this.loadingOlder = false;
    }
  }

  loadSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      void this.load();
    }, this.soonMs);
  }

  stop(): void {
    clearTimeout(this.#soon);
  }

  /** Put rows where they belong. */
  protected put(...rows: T[]): void {
    this.rows = this.#merge(this.rows, rows);
  }

  #merge(known: readonly T[], read: readonly T[]): T[] {
    return mergeRows(
      known,
      read,
      (row) => this.idOf(row),
      (had, row) => this.choose(had, row),
    );
  }
}
