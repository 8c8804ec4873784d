/* The socket of one session: opened while the session is on screen, opened again by itself with
   back-off, and after every gap the session is read anew.

     connecting -> connected -> (read what was missed) -> live -> lost -> (countdown) -> connecting

   It keeps nothing: what is said goes to `receive`. */
import { backoff } from './backoff';
import type { SessionMessage } from './session-types';

export type SessionLinkState = 'connecting' | 'live' | 'lost';

export interface SessionLinkHandlers {
  /** Where to connect to, asked before every attempt. */
  address(): Promise<string>;
  receive(message: SessionMessage): void;
  /** Read what was missed: called when events begin to come, and when some were lost. */
  resync(): Promise<void>;
  state(state: SessionLinkState): void;
  /** There is no such session any more, or this key does not reach it. */
  gone(): void;
}

const PING_EVERY_MS = 15_000;
/** Nothing for so long, not even an answer to a ping: the way is cut. */
const SILENCE_MS = 40_000;
const CLOSED_UNKNOWN = 4004;
const CLOSED_REFUSED = 4401;

export class SessionLink {
  #socket: WebSocket | null = null;
  #attempt = 0;
  #heardAt = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #ping: ReturnType<typeof setInterval> | undefined;
  #isStopped = false;

  constructor(private readonly handlers: SessionLinkHandlers) {}

  start(): void {
    void this.#connect();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#retry);
    this.#drop();
  }

  async #connect(): Promise<void> {
    this.handlers.state('connecting');
    let address: string;
    try {
      address = await this.handlers.address();
    } catch {
      this.#wait();
      return;
    }
    if (this.#isStopped) return;
    const socket = new WebSocket(address);
    this.#socket = socket;
    this.#heardAt = performance.now();
    socket.onmessage = (event: MessageEvent<string>) => this.#hear(socket, event.data);
    socket.onclose = ({ code }) => this.#lose(socket, code);
    this.#ping = setInterval(() => {
      if (performance.now() - this.#heardAt > SILENCE_MS) this.#lose(socket, 0);
      else if (socket.readyState === WebSocket.OPEN) socket.send('{"event":"ping"}');
    }, PING_EVERY_MS);
  }

  #hear(socket: WebSocket, data: string): void {
    this.#heardAt = performance.now();
    let message: SessionMessage;
    try {
      message = JSON.parse(data) as SessionMessage;
    } catch {
      // Not ours: something on the way wrote it.
      return;
    }
    if (message.event === 'connected') void this.#catchUp(socket);
    else if (message.event === 'error.occurred') void this.handlers.resync().catch(() => undefined);
    else if (message.event !== 'ping' && message.event !== 'pong') this.handlers.receive(message);
  }

  async #catchUp(socket: WebSocket): Promise<void> {
    try {
      await this.handlers.resync();
    } catch {
      this.#lose(socket, 0);
      return;
    }
    if (this.#socket !== socket) return;
    this.#attempt = 0;
    this.handlers.state('live');
  }

  #lose(socket: WebSocket, code: number): void {
    if (this.#socket !== socket) return;
    this.#drop();
    if (code === CLOSED_UNKNOWN || code === CLOSED_REFUSED) this.handlers.gone();
    else this.#wait();
  }

  #drop(): void {
    clearInterval(this.#ping);
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #wait(): void {
    if (this.#isStopped) return;
    this.handlers.state('lost');
    this.#retry = setTimeout(() => void this.#connect(), backoff(this.#attempt, Math.random()));
    this.#attempt += 1;
  }
}
