/* A socket that comes back. It connects, measures the round trip, comes back by itself with
   back-off, and says in plain callbacks what happened. It keeps no data: messages go to `receive`.

     connecting -> catching-up -> live -> offline -> (countdown) -> connecting
                                          offline -> (no key that is good) -> `reconnect`

   After every connect the caller's `catchUp` fetches what was missed; only then is it live. */
import { backoff } from './backoff';

export type LinkState = 'catching-up' | 'live' | 'offline';

export interface LinkStatus {
  state: LinkState;
  /** How many attempts have failed in a row. */
  attempt: number;
  /** When the next attempt starts, while offline. */
  retryAt: number | null;
  /** When the last connection was lost. */
  lostAt: number | null;
  /** Round trip to the server in milliseconds. */
  latency: number | null;
}

export const NOT_YET: LinkStatus = {
  state: 'catching-up',
  attempt: 0,
  retryAt: null,
  lostAt: null,
  latency: null,
};

export interface SocketHandlers<M> {
  /** Where to connect to, asked before every attempt. Rejecting counts as a failed attempt. */
  address(): Promise<string>;
  /** The server closed the socket because of its key; nothing is tried until `reconnect`. */
  refuse(): void;
  status(status: LinkStatus): void;
  /** A ping came back: when it was sent and heard here, and the server's time in between. */
  measure(sentAt: number, serverAt: number, heardAt: number): void;
  receive(message: M): void;
  /** Fetch what was missed since `since`, null on the first connect. Rejecting reconnects. */
  catchUp(since: number | null): Promise<void>;
}

const PING_EVERY_MS = 10_000;
/** Without any message for this long the peer is gone, although TCP has not noticed. */
const SILENCE_MS = 25_000;
const CONNECT_TIMEOUT_MS = 8000;
/** No good key, and a key that does not allow it. Trying again changes neither. */
const REFUSED = [4401, 4403];

export class ReturningSocket<M extends object> {
  /** What is said to hear an answer. */
  protected readonly ping: object = { type: 'ping' };
  /** How the server closes a socket that it will not open again. */
  protected readonly refused: readonly number[] = REFUSED;
  #socket: WebSocket | null = null;
  /** Counts attempts, so that one which was overtaken while it waited is let go. */
  #round = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #pingTimer: ReturnType<typeof setInterval> | undefined;
  #pingedAt = 0;
  #heardAt = 0;
  #status = NOT_YET;
  #listening: AbortController | null = null;

  constructor(private readonly handlers: SocketHandlers<M>) {}

  start(): void {
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    void this.#connect();
    addEventListener('online', () => this.retryNow(), { signal });
    addEventListener('pagehide', () => this.#socket?.close(), { signal });
    // A page restored from the back/forward cache wakes with a dead socket.
    const wake = (event: PageTransitionEvent): void => void (event.persisted && this.retryNow());
    addEventListener('pageshow', wake, { signal });
  }

  /** Nobody looks any more; `start` begins anew. */
  stop(): void {
    this.#round += 1;
    this.#listening?.abort();
    clearTimeout(this.#retryTimer);
    this.#drop();
    this.#status = NOT_YET;
  }

  retryNow(): void {
    if (this.#status.state !== 'offline') return;
    clearTimeout(this.#retryTimer);
    void this.#connect();
  }

  /** Begin as if for the first time, whatever the state: who may read has changed. */
  reconnect(): void {
    clearTimeout(this.#retryTimer);
    this.#drop();
    this.#report({ attempt: 0, lostAt: null });
    void this.#connect();
  }

  /** What is said first on every connection. */
  protected greet(): void {}

  protected send(message: object): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #report(change: Partial<LinkStatus>): void {
    this.#status = { ...this.#status, ...change };
    this.handlers.status(this.#status);
  }

  async #connect(): Promise<void> {
    const round = ++this.#round;
    this.#report({ state: 'catching-up', retryAt: null });
    let address: string;
    try {
      address = await this.handlers.address();
    } catch {
      if (round === this.#round) this.#wait();
      return;
    }
    if (round !== this.#round) return;
    const socket = new WebSocket(address);
    this.#socket = socket;
    const giveUp = setTimeout(() => this.#lose(socket), CONNECT_TIMEOUT_MS);
    socket.onopen = () => {
      clearTimeout(giveUp);
      // One that was dropped while it opened has nothing more to say.
      if (this.#socket === socket) void this.#begin(socket);
    };
    socket.onmessage = (event: MessageEvent<string>) => this.#hear(event.data);
    socket.onclose = ({ code }) => {
      clearTimeout(giveUp);
      this.#lose(socket, this.refused.includes(code));
    };
  }

  async #begin(socket: WebSocket): Promise<void> {
    this.#heardAt = performance.now();
    this.greet();
    this.#pingTimer = setInterval(() => this.#ping(socket), PING_EVERY_MS);
    this.#ping(socket);
    try {
      await this.handlers.catchUp(this.#status.lostAt);
    } catch {
      this.#lose(socket);
      return;
    }
    if (this.#socket === socket) this.#report({ state: 'live', attempt: 0, lostAt: null });
  }

  #ping(socket: WebSocket): void {
    if (performance.now() - this.#heardAt > SILENCE_MS) {
      this.#lose(socket);
      return;
    }
    this.#pingedAt = performance.now();
    this.send(this.ping);
  }

  #hear(data: string): void {
    this.#heardAt = performance.now();
    let message: M;
    try {
      message = JSON.parse(data) as M;
    } catch {
      // A frame that is not JSON comes from something between us and the server; the next one
      // counts.
      return;
    }
    if ('type' in message && message.type === 'pong' && 'timestamp' in message && this.#pingedAt) {
      const { timeOrigin } = performance;
      this.handlers.measure(
        timeOrigin + this.#pingedAt,
        Date.parse(String(message.timestamp)),
        timeOrigin + this.#heardAt,
      );
      this.#report({ latency: this.#heardAt - this.#pingedAt });
      this.#pingedAt = 0;
      return;
    }
    this.handlers.receive(message);
  }

  /** Drop this socket once, whatever noticed first that it is gone, and plan the next attempt. */
  #lose(socket: WebSocket, refused = false): void {
    if (this.#socket !== socket) return;
    this.#drop();
    if (refused) {
      this.#report({ state: 'offline', lostAt: this.#status.lostAt ?? Date.now(), latency: null });
      this.handlers.refuse();
    } else {
      this.#wait();
    }
  }

  #drop(): void {
    clearInterval(this.#pingTimer);
    if (!this.#socket) return;
    this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.#socket = null;
  }

  #wait(): void {
    const wait = backoff(this.#status.attempt, Math.random());
    this.#report({
      state: 'offline',
      attempt: this.#status.attempt + 1,
      retryAt: Date.now() + wait,
      lostAt: this.#status.lostAt ?? Date.now(),
      latency: null,
    });
    this.#retryTimer = setTimeout(() => void this.#connect(), wait);
  }
}
