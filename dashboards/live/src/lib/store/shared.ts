/* Things that several charts look at and that cost a subscription or a request: each exists once,
   from the first who asks for it until the last one lets go. */

interface Held<T> {
  thing: T;
  users: number;
}

export class Shared<T extends { stop(): void }> {
  #held = new Map<string, Held<T>>();

  constructor(private readonly make: (key: string) => T) {}

  take(key: string): T {
    const held = this.#held.get(key) ?? { thing: this.make(key), users: 0 };
    held.users += 1;
    this.#held.set(key, held);
    return held.thing;
  }

  drop(key: string): void {
    const held = this.#held.get(key);
    if (!held) return;
    held.users -= 1;
    if (held.users > 0) return;
    this.#held.delete(key);
    held.thing.stop();
  }
}
