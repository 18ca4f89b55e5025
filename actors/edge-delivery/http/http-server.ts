/** The HTTP-server port: what the edge needs of a listener, and the bounds that it keeps. */
import type { Entity, Handler } from './http.ts';

export interface HttpHandlers {
  /**
   * Entities that are answered without any other work, by path, or `path?query` where there is one. Asked for every
   * GET first.
   */
  readonly hot: (target: string) => Entity | undefined;
  readonly handle: Handler;
}

/** Each bound has its policy: what is over it is refused or closed, and counted. */
export interface HttpLimits {
  /** Open connections, at most nine tenths of the files that the process may open; one more is closed as it is accepted. */
  readonly connections: number;
  /** Requests that wait for their reply; one more is answered 429. */
  readonly waitingRequests: number;
  /** Responses that a slow reader has not taken yet; one more is cut off. */
  readonly slowResponses: number;
  /** Bytes of bodies that slow readers keep in memory, each body counted once; one more is cut off. */
  readonly slowBytes: number;
  /** A reader that takes nothing for so long is cut off. */
  readonly stalledMs: number;
  /** No response takes longer than this, however it trickles. */
  readonly responseMs: number;
  /** A body over this is answered 413. */
  readonly bodyBytes: number;
  /** A body that is not there after this is answered 400. */
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
  /** Connections that are open now. */
  readonly connections: number;
  /** @param port 0 takes a free one @returns the bound port @throws Error when the address is taken */
  listen(host: string, port: number, handlers: HttpHandlers): Promise<number>;
  /** Accepts nothing new, lets open responses end for up to `graceMs`, then closes every connection. Idempotent. */
  close(graceMs: number): Promise<void>;
}
