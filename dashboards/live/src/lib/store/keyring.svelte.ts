/* The keys, while their page is open, and the one whose text is shown this once. */
import { type ApiKey, type KeyMade, keysApi } from '../api-keys';
import { type Problem, toProblem } from '../problem';

class Keyring {
  list = $state.raw<ApiKey[]>([]);
  cursor = $state<string | null>(null);
  loaded = $state(false);
  problem = $state.raw<Problem | null>(null);
  /** Leaves the page with it. */
  made = $state.raw<KeyMade | null>(null);

  async load(): Promise<void> {
    try {
      const page = await keysApi.listKeys();
      [this.list, this.cursor] = [page.data, page.next_cursor];
      [this.loaded, this.problem] = [true, null];
    } catch (error) {
      if (!this.loaded) this.problem = toProblem(error);
    }
  }

  async loadOlder(): Promise<void> {
    if (this.cursor === null) return;
    try {
      const page = await keysApi.listKeys(this.cursor);
      [this.list, this.cursor] = [[...this.list, ...page.data], page.next_cursor];
    } catch (error) {
      this.problem = toProblem(error);
    }
  }

  /** A new one stands first; another one where it stood. */
  take(key: ApiKey): void {
    const isKnown = this.list.some((one) => one.key_id === key.key_id);
    this.list = isKnown
      ? this.list.map((one) => (one.key_id === key.key_id ? key : one))
      : [key, ...this.list];
  }

  show(made: KeyMade): void {
    this.made = made;
    const { key: _text, ...known } = made;
    this.take(known);
  }
}

export const keyring = new Keyring();
