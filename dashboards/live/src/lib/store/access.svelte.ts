/* The key that this page shows, and whether the API asks for another one. A key is kept until the
   tab is closed, or on this device when somebody wants that. */

const STORED = 'telemetra.key';

/** Why a key is asked for: none was shown, or the one shown is no good (any more). */
export type Asked = 'missing' | 'refused';

/** Storage may be forbidden (private windows, policies); a key then lasts as long as the page. */
function attempt<T>(use: () => T): T | null {
  try {
    return use();
  } catch {
    return null;
  }
}

class Access {
  key = $state<string | null>(
    attempt(() => sessionStorage.getItem(STORED) ?? localStorage.getItem(STORED)),
  );
  asked = $state<Asked | null>(null);
  /** What the key allows, as the server said with its last ticket. */
  #scopes = $state.raw<readonly string[]>([]);
  remembered = $state(attempt(() => localStorage.getItem(STORED)) !== null);

  /** The readable part of the key, by which people tell keys apart. */
  get name(): string {
    return this.key?.split('_').slice(0, 2).join('_') ?? '';
  }

  /** Whether what needs a scope is offered; the server asks again. Who shows no key was asked for
      none. */
  may(scope: 'operate' | 'admin'): boolean {
    return !this.key || this.#scopes.includes(scope) || this.#scopes.includes('admin');
  }

  /** Whether it is known by now what the key allows. */
  get isLearned(): boolean {
    return !this.key || this.#scopes.length > 0;
  }

  get scopes(): readonly string[] {
    return this.#scopes;
  }

  learn(scopes: readonly string[]): void {
    this.#scopes = scopes;
  }

  keep(key: string, remember: boolean): void {
    this.#clear();
    this.key = key;
    this.remembered = remember;
    attempt(() => (remember ? localStorage : sessionStorage).setItem(STORED, key));
    this.asked = null;
  }

  /** Ask for a key, unless what was refused is no longer the one that is kept. */
  refuse(shown: string | null): void {
    if (shown !== this.key) return;
    this.asked = shown ? 'refused' : 'missing';
    if (shown) this.#clear();
    this.key = null;
  }

  forget(): void {
    this.#clear();
    this.key = null;
    this.remembered = false;
  }

  #clear(): void {
    this.#scopes = [];
    attempt(() => sessionStorage.removeItem(STORED));
    attempt(() => localStorage.removeItem(STORED));
  }
}

export const access = new Access();
