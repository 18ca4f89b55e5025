/** The port of the HTTP server: what the edge needs of a listener, and the bounds that a listener keeps. */
import type { SocketHandlers } from '../socket/socket-port.ts';
import type { Entity, Handler } from './http.ts';

export interface HttpHandlers {
  /** Entities that are ready to be sent, by path, or by `path?query` where there is a query. Every GET is looked up here first. */
  readonly hot: (target: string) => Entity | undefined;
  readonly handle: Handler;
  /** Absent on a port that has no live sockets. */
  readonly sockets?: SocketHandlers;
}

/** What exceeds a bound is refused or closed, and counted. */
export interface HttpLimits {
  /**
   * The most open connections. At most nine tenths of the files that the process may open are used. One more connection is closed when it
   * is accepted. Above half of them no network opens, or holds, more than a share (`connection-room.ts`).
   */
  readonly connections: number;
  /** The most requests that wait for their reply. One more is answered 429. */
  readonly waitingRequests: number;
  /** The most responses that slow readers have not taken yet. One more is cut off. */
  readonly slowResponses: number;
  /** The most bytes of bodies that slow readers keep in memory, each body counted once. One more is cut off. */
  readonly slowBytes: number;
  /** A reader that takes nothing for this long is cut off. */
  readonly stalledMs: number;
  /** A response that takes longer than this is cut off, even if its reader takes a few bytes now and then. */
  readonly responseMs: number;
  /** A larger body is answered 413. */
  readonly bodyBytes: number;
  /** A body that is incomplete after this time is answered 400. */
  readonly bodyMs: number;
}

export const defaultHttpLimits: HttpLimits = {
  connections: 120_000,
  waitingRequests: 100_000,
  slowResponses: 20_000,
  slowBytes: 268_435_456,
  stalledMs: 30_000,
  responseMs: 600_000,
  bodyBytes: 65_536,
  bodyMs: 10_000,
};

export interface HttpServer {
  /** How many connections are open now. */
  readonly connections: number;
  /** @param port 0 takes a free one @returns the bound port @throws Error when the address is taken */
  listen(host: string, port: number, handlers: HttpHandlers): Promise<number>;
  /** Accepts no new connection, lets open responses end for up to `graceMs`, then closes all connections. It may be called again. */
  close(graceMs: number): Promise<void>;
}
