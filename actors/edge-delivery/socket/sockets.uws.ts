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
    upgrade: (response, request, context) => upgrade(handlers, ports, { response, request, context }),
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
  handlers.publishBy((topic, text) => void app.publish(topic, text, false, false));
}

interface Upgrade {
  readonly response: HttpResponse;
  readonly request: NativeRequest;
  readonly context: SocketContext;
}

function upgrade(
  handlers: SocketHandlers,
  { requestOf, refuse }: SocketAdapterPorts,
  { response, request, context }: Upgrade,
): void {
  const key = request.getHeader('sec-websocket-key');
  const extensions = request.getHeader('sec-websocket-extensions');
  try {
    const ticket = handlers.admit(requestOf(response, request), request.getParameter(0) ?? '');
    response.upgrade<Held>({ link: new UwsLink(ticket) }, key, socketProtocol, extensions, context);
  } catch (error) {
    refuse(response, error);
  }
}

class UwsLink implements SocketLink {
  readonly ticket: Ticket;
  events: SocketEvents | undefined;
  #socket: WebSocket<Held> | undefined;

  constructor(ticket: Ticket) {
    this.ticket = ticket;
  }

  opened(socket: WebSocket<Held>): void {
    this.#socket = socket;
  }

  gone(): void {
    this.#socket = undefined;
    this.events = undefined;
  }

  send(text: string): void {
    this.#socket?.send(text, false, false);
  }
  join(topic: string): void {
    this.#socket?.subscribe(topic);
  }
  leave(topic: string): void {
    this.#socket?.unsubscribe(topic);
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
