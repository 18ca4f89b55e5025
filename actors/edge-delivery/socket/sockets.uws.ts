/**
 * Websockets of uWebSockets.js as live sockets.
 *
 * The library's own time-outs are off: it counts what it sends as a sign of life, so a peer that has gone would stay for as long as its
 * stream speaks (*read in source*). With none a socket that was ended is let go within 4 s, whether or not its client reads or closes (*tried*;
 * with one of 120 s it took 16 s). Nor does it compress: a compressor for each socket costs more than the bytes do, and a shared one
 * for a topic is gone from it. In a callback that tells of a dropped frame its tree of topics must not be changed: the process ends (tried).
 */
import type {
  HttpRequest as NativeRequest,
  HttpResponse,
  TemplatedApp,
  us_socket_context_t as SocketContext,
  WebSocket,
} from 'uWebSockets.js';
import type { SocketClose } from '../../../cluster/contract/audience/socket-closes.ts';
import { socketProtocol } from '../../../cluster/contract/audience/socket-messages.ts';
import { socketCloses } from '../../../cluster/contract/audience/socket-closes.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { HttpRequest } from '../http/http.ts';
import { Lanes, type Lane } from './frames/lanes.ts';
import {
  bufferBytes,
  frameBytes,
  type SocketEvents,
  type SocketHandlers,
  type SocketLink,
  type Ticket,
} from './socket-port.ts';

export interface SocketAdapterPorts {
  readonly app: TemplatedApp;
  readonly logger: Logger;
  /** Copies what is needed of a request that asks for a socket. */
  readonly requestOf: (response: HttpResponse, request: NativeRequest) => HttpRequest;
  /** Answers a request that gets no socket. */
  readonly refuse: (response: HttpResponse, error: unknown) => void;
  /** The library tells of each connection that opens, and not of one that closes as a websocket. */
  readonly onGone: () => void;
}

/** The library copies the properties of this object to the websocket. */
interface Held {
  readonly link: UwsLink;
}

const pattern = '/v1/streams/:id/socket';

/** To be called before the app's other routes are added. */
export function listenForSockets(handlers: SocketHandlers, ports: SocketAdapterPorts): void {
  const { app, logger, onGone } = ports;
  const lanes = new Lanes({
    write: (lane, text) => void app.publish(lane, text, false, false),
    nextTurn: (run) => void setImmediate(run),
  });
  const safely = (link: UwsLink, run: (events: SocketEvents) => void): void => {
    try {
      if (link.events !== undefined) run(link.events);
    } catch (error) {
      logger.error({ error }, 'a socket failed unexpectedly');
      link.end(socketCloses.fault);
    }
  };
  app.ws<Held>(pattern, {
    maxPayloadLength: frameBytes,
    maxBackpressure: bufferBytes,
    idleTimeout: 0,
    sendPingsAutomatically: false,
    upgrade: (response, request, context) =>
      upgrade({ handlers, ports, lanes }, { response, request, context }),
    open: (ws) => {
      const { link } = ws.getUserData();
      link.opened(ws);
      link.events = handlers.open(link, link.ticket);
    },
    message: (ws, bytes, isBinary) =>
      safely(ws.getUserData().link, (events) => events.frame(bytes, isBinary)),
    ping: (ws) => safely(ws.getUserData().link, (events) => events.alive()),
    pong: (ws) => safely(ws.getUserData().link, (events) => events.alive()),
    dropped: (ws) => safely(ws.getUserData().link, (events) => events.dropped()),
    drain: (ws) => safely(ws.getUserData().link, (events) => events.drained()),
    close: (ws) => {
      const { link } = ws.getUserData();
      onGone();
      safely(link, (events) => events.closed());
      link.gone();
    },
  });
  handlers.publishBy((topic, text) => lanes.publish(topic, text));
}

interface Listener {
  readonly handlers: SocketHandlers;
  readonly ports: SocketAdapterPorts;
  readonly lanes: Lanes;
}

interface Upgrade {
  readonly response: HttpResponse;
  readonly request: NativeRequest;
  readonly context: SocketContext;
}

function upgrade({ handlers, ports, lanes }: Listener, { response, request, context }: Upgrade): void {
  const key = request.getHeader('sec-websocket-key');
  const extensions = request.getHeader('sec-websocket-extensions');
  try {
    const ticket = handlers.admit(ports.requestOf(response, request), request.getParameter(0) ?? '');
    response.upgrade<Held>({ link: new UwsLink(ticket, lanes) }, key, socketProtocol, extensions, context);
  } catch (error) {
    ports.refuse(response, error);
  }
}

class UwsLink implements SocketLink {
  readonly ticket: Ticket;
  events: SocketEvents | undefined;
  readonly #lanes: Lanes;
  /** Those that it is in. */
  #own: readonly Lane[] = [];
  #socket: WebSocket<Held> | undefined;

  constructor(ticket: Ticket, lanes: Lanes) {
    this.ticket = ticket;
    this.#lanes = lanes;
  }

  opened(socket: WebSocket<Held>): void {
    this.#socket = socket;
  }

  gone(): void {
    this.#socket = undefined;
    this.events = undefined;
    for (const lane of this.#own) this.#lanes.leave(lane);
    this.#own = [];
  }

  /** What waits in its lanes goes out first (lanes.ts N3). */
  send(text: string): void {
    for (const lane of this.#own) this.#lanes.settle(lane);
    this.#socket?.send(text, false, false);
  }
  join(topic: string): void {
    if (this.#socket === undefined || this.#own.some((lane) => lane.topic === topic)) return;
    const lane = this.#lanes.join(topic);
    this.#own = [...this.#own, lane];
    this.#socket.subscribe(lane.name);
  }
  leave(topic: string): void {
    const lane = this.#own.find((one) => one.topic === topic);
    if (lane === undefined) return;
    this.#own = this.#own.filter((one) => one !== lane);
    this.#socket?.unsubscribe(lane.name);
    this.#lanes.leave(lane);
  }
  bufferedBytes(): number {
    return this.#socket?.getBufferedAmount() ?? 0;
  }
  ping(): void {
    this.#socket?.ping();
  }
  end({ code, reason }: SocketClose): void {
    this.#socket?.end(code, reason);
  }
  cut(): void {
    this.#socket?.close();
  }
}
