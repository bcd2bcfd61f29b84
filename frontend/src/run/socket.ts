/** The live socket of one run: requests with answers, durable events in order, a connection that comes back by itself. */

import { PROTOCOL_VERSION, type Problem, type ServerMessage, type ViewerMessage } from '../generated/protocol';

const RETRY_FIRST_MS = 250;
const RETRY_LAST_MS = 5_000;

/** How the connection stands. `ended`: the run is gone and the socket won't come back. */
export type Connection = 'connecting' | 'live' | 'lost' | 'ended';

/** What the owner of a socket hears. */
export interface Listener {
  message(message: ServerMessage): void;
  frame(data: ArrayBuffer): void;
  connection(connection: Connection): void;
}

/** A request that was not taken; `problems` say why, at least one. */
export class RefusedError extends Error {
  constructor(readonly problems: Problem[]) {
    super(problems.map((problem) => problem.message).join(' '));
  }
}

interface Waiting {
  resolve(message: ServerMessage): void;
  reject(error: Error): void;
}

type WithoutRef<T> = T extends unknown ? Omit<T, 'ref'> : never;
/** A message before the socket gives it its `ref`. */
export type Outgoing = WithoutRef<ViewerMessage>;

/** Opens at once; `close` ends it for good. */
export class RunSocket {
  /** The last durable event that was heard: after a gap the server sends what follows it. */
  lastSeq = 0;
  private socket: WebSocket | null = null;
  private waiting = new Map<string, Waiting>();
  private nextRef = 1;
  private retryMs = RETRY_FIRST_MS;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private over = false;

  constructor(
    private readonly path: string,
    private readonly control: string | null,
    private readonly listener: Listener,
  ) {
    this.open();
  }

  /** Sends `message` and gives its answer; rejects with {@link RefusedError}, or when the connection breaks first. */
  request(message: Outgoing): Promise<ServerMessage> {
    const ref = String(this.nextRef++);
    return new Promise((resolve, reject) => {
      if (this.socket?.readyState !== WebSocket.OPEN) {
        reject(new Error('There is no connection to the server just now.'));
        return;
      }
      this.waiting.set(ref, { resolve, reject });
      this.socket.send(JSON.stringify({ ...message, ref }));
    });
  }

  /** Tells the server that a frame was drawn. */
  ack(frame: number): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ type: 'ack', frame }));
  }

  /** Tries again now instead of when the pause is over. */
  retryNow(): void {
    if (this.over || this.socket?.readyState === WebSocket.OPEN) return;
    clearTimeout(this.timer);
    this.socket?.close();
    this.open();
  }

  /** Ends the connection for good. */
  close(): void {
    this.over = true;
    clearTimeout(this.timer);
    this.socket?.close();
    this.forgetWaiting();
  }

  private open(): void {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const socket = new WebSocket(`${scheme}://${location.host}${this.path}`);
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    socket.onopen = () => {
      const hello: Outgoing = { type: 'hello', version: PROTOCOL_VERSION, after: this.lastSeq, control: this.control };
      socket.send(JSON.stringify(hello));
    };
    socket.onmessage = (event) => {
      if (typeof event.data === 'string') this.hear(JSON.parse(event.data) as ServerMessage);
      else this.listener.frame(event.data as ArrayBuffer);
    };
    socket.onclose = () => {
      if (this.socket !== socket || this.over) return;
      this.forgetWaiting();
      this.listener.connection('lost');
      this.timer = setTimeout(() => this.open(), this.retryMs);
      this.retryMs = Math.min(this.retryMs * 2, RETRY_LAST_MS);
    };
  }

  private hear(message: ServerMessage): void {
    if (message.type === 'welcome') {
      this.retryMs = RETRY_FIRST_MS;
      this.listener.connection('live');
    } else if (message.type === 'happened') {
      // Replayed after a reconnect; one that was heard before must not happen twice.
      if (message.seq <= this.lastSeq) return;
      this.lastSeq = message.seq;
    } else if (message.type === 'ended') {
      this.over = true;
      this.listener.message(message);
      this.listener.connection('ended');
      return;
    }
    this.answer(message);
    this.listener.message(message);
  }

  private answer(message: ServerMessage): void {
    if (!('ref' in message) || message.ref === null) return;
    const waiting = this.waiting.get(message.ref);
    if (!waiting) return;
    this.waiting.delete(message.ref);
    if (message.type === 'refused') waiting.reject(new RefusedError(message.problems));
    else waiting.resolve(message);
  }

  private forgetWaiting(): void {
    for (const waiting of this.waiting.values())
      waiting.reject(new Error('The connection broke before the answer came.'));
    this.waiting.clear();
  }
}
