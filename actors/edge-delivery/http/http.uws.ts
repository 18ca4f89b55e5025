/**
 * The HTTP server on uWebSockets.js.
 *
 * Hot path: one look-up by URL, one precomputed header block, one `tryEnd`; nothing is allocated for a request that a
 * cached object answers. All else becomes a request object, and may wait for its reply; a waiting request is an entry
 * in a set and its handler's closure.
 *
 * Bounds (`HttpLimits`) and their policies: connections over the bound, or of a network that has most of them, are closed as they are
 * accepted (`connection-room.ts`); waiting requests over it get 429. The library itself answers headers over 32 kB, or more than 98 of them, with 431, and
 * what is not HTTP/1.1 with 505 or 400, in bare HTML and without CORS; it ends connections that are idle for some 30 s.
 */
import type {
  HttpRequest as NativeRequest,
  HttpResponse,
  TemplatedApp,
  us_listen_socket as ListenSocket,
} from 'uWebSockets.js';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { Metrics } from '../../../cluster/observe/metrics.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { problemReply, type Reply } from './http.ts';
import { defaultHttpLimits, type HttpHandlers, type HttpLimits, type HttpServer } from './http-server.ts';
import { App, us_listen_socket_close, us_socket_local_port } from './library.uws.ts';
import { openFileLimit } from '../open-files.system.ts';
import type { IsTrustedProxy } from './caller.ts';
import { ConnectionRoom } from '../connection-room.ts';
import { heldByNetwork } from '../held-connections.system.ts';
import { conditionsOf, UwsRequest } from './request.uws.ts';
import { Responder, type Asked } from './responder.uws.ts';
import { acceptsGzip } from '../playback/select.ts';
import type { SocketHandlers } from '../socket/socket-port.ts';
import { listenForSockets } from '../socket/sockets.uws.ts';
import { Traffic } from '../traffic.ts';

export interface UwsServerOptions {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly limits?: Partial<HttpLimits>;
  /** Fronts, which open connections for many networks. By default none is. */
  readonly isTrustedProxy?: IsTrustedProxy;
  /** Names this listener in the metrics. By default `viewers`. */
  readonly listener?: string;
}

const sweepMs = 1000;
const utf8 = new TextDecoder();

/** The names of the headers that are read from every GET, as bytes: the library would convert a text each time. */
const bytesOf = (text: string): ArrayBuffer => new TextEncoder().encode(text).slice().buffer;
const headerNames = {
  ifNoneMatch: bytesOf('if-none-match'),
  range: bytesOf('range'),
  acceptEncoding: bytesOf('accept-encoding'),
};

export function uwsServer(options: UwsServerOptions): HttpServer {
  return new UwsServer(options);
}

class UwsServer implements HttpServer {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #limits: HttpLimits;
  readonly #room: ConnectionRoom;
  readonly #traffic: Traffic;
  readonly #responder: Responder;
  /** Since when each request waits, in monotonic ms. */
  readonly #waiting = new Map<UwsRequest, number>();
  readonly #app: TemplatedApp = App();
  #listenSocket: ListenSocket | undefined;
  #port = 0;
  #stopSweep: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: UwsServerOptions) {
    const { clock, metrics, logger, limits, listener = 'viewers', isTrustedProxy = () => false } = options;
    this.#clock = clock;
    this.#logger = logger;
    this.#limits = affordable({ ...defaultHttpLimits, ...limits });
    this.#room = new ConnectionRoom(this.#limits.connections, isTrustedProxy);
    this.#traffic = new Traffic(metrics, listener);
    this.#responder = new Responder(clock, this.#limits, this.#traffic);
  }

  get connections(): number {
    return this.#traffic.connections;
  }

  listen(host: string, port: number, handlers: HttpHandlers): Promise<number> {
    this.#app.filter((response, change) => this.#countConnection(response, Number(change)));
    if (handlers.sockets !== undefined) this.#listenForSockets(handlers.sockets);
    this.#app.get('/*', (response, request) => this.#onGet(handlers, response, request));
    this.#app.any('/*', (response, request) => this.#onOtherRequest(handlers, response, request));
    this.#stopSweep = this.#clock.every(sweepMs, () => this.#sweep());
    return new Promise((resolve, reject) => {
      // Exclusively: otherwise a second process may listen on the same port and silently take half of the requests.
      listenExclusively(this.#app, host, port, (socket) => {
        if (socket === false)
          return reject(new Error(`cannot listen on ${host}:${port}: the address is in use or not ours`));
        this.#listenSocket = socket;
        this.#port = us_socket_local_port(socket);
        resolve(this.#port);
      });
    });
  }

  #listenForSockets(sockets: SocketHandlers): void {
    listenForSockets(sockets, {
      app: this.#app,
      logger: this.#logger,
      requestOf: (response, request) => new UwsRequest(response, request, this.#limits),
      refuse: (response, error) => {
        const asked = { isHead: false, conditions: conditionsOf(() => '') };
        this.#responder.send(response, problemReply(error), asked);
      },
      onGone: () => {
        this.#traffic.connections -= 1;
      },
    });
  }

  close(graceMs: number): Promise<void> {
    this.#closed ??= this.#drain(graceMs);
    return this.#closed;
  }

  async #drain(graceMs: number): Promise<void> {
    if (this.#listenSocket !== undefined) us_listen_socket_close(this.#listenSocket);
    this.#responder.closeConnections();
    const untilMs = this.#clock.runningMs() + graceMs;
    while (this.#waiting.size + this.#responder.openResponses > 0 && this.#clock.runningMs() < untilMs) {
      await this.#clock.sleep(20);
    }
    this.#stopSweep?.();
    this.#app.close();
    this.#traffic.publish();
  }

  #countConnection(response: HttpResponse, change: number): void {
    this.#traffic.connections += change;
    if (change < 0) return;
    const address = (): string => utf8.decode(response.getRemoteAddressAsText());
    const refusal = this.#room.refusal(this.#traffic.connections, address, this.#clock.runningMs());
    if (refusal === undefined) return;
    this.#traffic.refused(refusal);
    response.close();
  }

  /** Each access to the native request costs time, so no more is read than the entity can answer. */
  #onGet(handlers: HttpHandlers, response: HttpResponse, request: NativeRequest): void {
    const query = request.getQuery();
    const path = request.getUrl();
    const entity = handlers.hot(query === undefined || query === '' ? path : `${path}?${query}`);
    if (entity === undefined) return this.#onOtherRequest(handlers, response, request);
    entity.hits++;
    const isConditional =
      request.getHeader(headerNames.ifNoneMatch) !== '' ||
      (entity.isRangeable && request.getHeader(headerNames.range) !== '');
    if (isConditional) {
      return this.#responder.send(response, entity, {
        isHead: false,
        conditions: conditionsOf((name) => request.getHeader(name)),
      });
    }
    const isGzip = entity.gzip !== undefined && acceptsGzip(request.getHeader(headerNames.acceptEncoding));
    this.#responder.sendWhole(response, isGzip ? entity.gzip() : entity);
  }

  #onOtherRequest(handlers: HttpHandlers, response: HttpResponse, native: NativeRequest): void {
    const request = new UwsRequest(response, native, this.#limits);
    const asked = { isHead: request.method === 'head', conditions: request.conditions };
    if (this.#waiting.size >= this.#limits.waitingRequests) {
      this.#traffic.refused('waiting');
      const reply = problemReply(new TangazaError('OVERLOADED', 'Too many requests wait on this node.'));
      return this.#responder.send(response, { ...reply, closes: true }, asked);
    }
    const reply = this.#ask(handlers, request);
    if (!(reply instanceof Promise) && !request.isBodyUnread)
      return this.#responder.send(response, reply, asked);
    response.onAborted(() => {
      this.#forget(request);
      this.#traffic.aborted();
      request.abort();
    });
    this.#waiting.set(request, this.#clock.runningMs());
    this.#traffic.waiting = this.#waiting.size;
    void this.#sendLater(response, request, reply, asked);
  }

  async #sendLater(
    response: HttpResponse,
    request: UwsRequest,
    pending: Reply | Promise<Reply>,
    asked: Asked,
  ): Promise<void> {
    const reply = await Promise.resolve(pending).catch((error: unknown) => this.#onFault(error, request));
    await request.bodyEnd();
    this.#forget(request);
    if (request.isAborted) return;
    request.settle();
    response.cork(() => this.#responder.send(response, this.#closing(reply, request), asked));
  }

  #ask(handlers: HttpHandlers, request: UwsRequest): Reply | Promise<Reply> {
    try {
      return handlers.handle(request);
    } catch (error) {
      return this.#onFault(error, request);
    }
  }

  /** A handler answers errors itself. An error that reaches this place is a fault in our code. */
  #onFault(error: unknown, request: UwsRequest): Reply {
    const { method, path } = request;
    this.#logger.error({ error, method, path }, 'a request failed unexpectedly');
    return problemReply(error);
  }

  /** A reply that is sent before the request's body is complete ends the connection, as the rest of the body is no request. */
  #closing(reply: Reply, request: UwsRequest): Reply {
    return request.isBodyUnread && 'status' in reply ? { ...reply, closes: true } : reply;
  }

  #forget(request: UwsRequest): void {
    this.#waiting.delete(request);
    this.#traffic.waiting = this.#waiting.size;
  }

  #sweep(): void {
    const beforeMs = this.#clock.runningMs() - this.#limits.bodyMs;
    for (const [request, sinceMs] of this.#waiting) {
      if (sinceMs > beforeMs) break; // they are in order of arrival
      if (!request.isBodyUnread) continue;
      this.#traffic.refused('body');
      request.giveUpOnBody();
    }
    this.#responder.sweep();
    this.#traffic.publish();
    if (this.#room.isToCount(this.#traffic.connections, this.#clock.runningMs())) void this.#countHeld();
  }

  async #countHeld(): Promise<void> {
    this.#room.counted(await heldByNetwork(this.#port), this.#clock.runningMs());
  }
}

/** Without free files the kernel passes on no connection, not even to be closed. The store and ffmpeg need some too. */
function affordable(limits: HttpLimits): HttpLimits {
  const files = openFileLimit();
  return files === undefined
    ? limits
    : { ...limits, connections: Math.min(limits.connections, Math.floor(files * 0.9)) };
}

type OnListen = (socket: ListenSocket | false) => void;

/** The library takes host, port and options together; its declarations have neither that overload nor the constant. */
const exclusivePort = 1;
function listenExclusively(app: TemplatedApp, host: string, port: number, onListen: OnListen): void {
  const listen: unknown = Reflect.get(app, 'listen');
  if (typeof listen !== 'function') throw new Error('uWebSockets.js has no listen');
  Reflect.apply(listen, app, [host, port, exclusivePort, onListen]);
}
