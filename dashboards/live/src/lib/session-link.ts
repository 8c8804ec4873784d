/* The socket of one session: opened while the session is on screen, opened again by itself, and after
   every gap the session is read anew.

     connecting -> connected -> (read what was missed) -> live -> lost -> (countdown) -> connecting

   It keeps nothing: what is said goes to `receive`. */
import type { SessionMessage } from './session-types';
import { ReturningSocket, type LinkStatus } from './socket';

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

const CLOSED_UNKNOWN = 4004;
const CLOSED_REFUSED = 4401;
const STATES = { 'catching-up': 'connecting', live: 'live', offline: 'lost' } as const;

class SessionSocket extends ReturningSocket<SessionMessage> {
  protected override readonly ping = { event: 'ping' };
  protected override readonly refused = [CLOSED_UNKNOWN, CLOSED_REFUSED];
}

export class SessionLink {
  #socket: SessionSocket;
  /** Called when events begin to come. */
  #begin: () => void = () => undefined;

  constructor(private readonly handlers: SessionLinkHandlers) {
    this.#socket = new SessionSocket({
      address: () => handlers.address(),
      refuse: () => handlers.gone(),
      status: (status) => this.#tell(status),
      measure: () => undefined,
      receive: (message) => this.#hear(message),
      catchUp: () => this.#catchUp(),
    });
  }

  start(): void {
    this.#socket.start();
  }

  stop(): void {
    this.#socket.stop();
  }

  #tell({ state, retryAt }: LinkStatus): void {
    // Without another attempt it is not lost but gone.
    if (state !== 'offline' || retryAt !== null) this.handlers.state(STATES[state]);
  }

  /** What is read before events begin to come may miss one. */
  async #catchUp(): Promise<void> {
    await new Promise<void>((begin) => (this.#begin = begin));
    await this.handlers.resync();
  }

  #hear(message: SessionMessage): void {
    if (message.event === 'connected') this.#begin();
    else if (message.event === 'error.occurred') void this.handlers.resync().catch(() => undefined);
    else if (message.event !== 'ping' && message.event !== 'pong') this.handlers.receive(message);
  }
}
