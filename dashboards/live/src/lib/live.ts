/* The socket of streams: what is subscribed to on it, said again on every connection. */
import { ReturningSocket } from './socket';
import type { LiveMessage } from './types';

/** What is wanted of the streams that are not named: what nobody may miss. */
const OTHERS = ['moment', 'stream'];
/** What everybody gets who names no types. Whoever names one more has to name these too. */
const USUAL = ['metrics', 'minute', 'reading', ...OTHERS];

export class LiveLink extends ReturningSocket<LiveMessage> {
  #topics = new Set<string>();
  #types: readonly string[] = [];

  /** Replace what is subscribed to: streams by id, or `*` for everything of all. */
  setTopics(topics: readonly string[]): void {
    const wanted = new Set(topics);
    const gone = [...this.#topics].filter((topic) => !wanted.has(topic));
    const added = topics.filter((topic) => !this.#topics.has(topic));
    this.#topics = wanted;
    if (gone.includes('*') || added.includes('*')) this.#followAll();
    const named = (topics: readonly string[]) => topics.filter((topic) => topic !== '*');
    if (named(gone).length) this.send({ type: 'unsubscribe', streams: named(gone) });
    if (named(added).length) this.send({ type: 'subscribe', streams: named(added) });
  }

  /** Types of messages to get beside those that everybody gets. */
  setTypes(types: readonly string[]): void {
    if (types.join() === this.#types.join()) return;
    this.#types = types;
    this.#nameTypes();
  }

  protected override greet(): void {
    this.#followAll();
    const named = [...this.#topics].filter((topic) => topic !== '*');
    if (named.length) this.send({ type: 'subscribe', streams: named });
    if (this.#types.length) this.#nameTypes();
  }

  /** Moments of all streams always come; the rest only when somebody wants everything. */
  #followAll(): void {
    const others = this.#topics.has('*') ? USUAL : OTHERS;
    this.send({ type: 'subscribe', streams: ['*'], others });
  }

  /** In a message of its own: a server that does not know a type refuses the message that names it,
      and what was subscribed to before stands. */
  #nameTypes(): void {
    this.send({ type: 'subscribe', streams: [], types: [...USUAL, ...this.#types] });
  }
}
