/** The port of the sockets: what an adapter does for each, and what it asks and tells. */
import type { StreamId } from '../../../cluster/model/ids.ts';
import type { SocketClose } from '../../../cluster/contract/audience/socket-closes.ts';
import type { HttpRequest } from '../http/http.ts';

/** One open socket. Once it has closed, every method does nothing. */
export interface SocketLink {
  /** Sends one text frame to this socket alone. Over the bound of what is buffered it is dropped, and `dropped` is told. */
  send(text: string): void;
  /** Gets what is published to the topic from now on, in order with what is sent. */
  join(topic: string): void;
  leave(topic: string): void;
  /** What its reader has not taken yet, beside what the kernel holds. */
  bufferedBytes(): number;
  ping(): void;
  /** Says why, and closes. */
  end(close: SocketClose): void;
  /** Closes at once: a close frame would wait behind what its reader does not take. */
  cut(): void;
}

/**
 * Sends one text frame to all sockets of a topic, over as many turns of the event loop as it needs.
 *
 * @returns to how many groups of sockets it had to hurry the frame before, which still waited
 */
export type Publish = (topic: string, text: string) => number;

/** Who wants a socket, as far as its upgrade tells. */
export interface Ticket {
  readonly stream: StreamId | undefined;
  readonly address: string;
  /** What counts as one sender: the address, or of IPv6 the /64 that it is in. */
  readonly network: string;
  /** `http://host:port` as the caller wrote it to reach this node. */
  readonly origin: string;
  /** The front through which it came, where that has a name of its own. */
  readonly front: string | undefined;
}

/** What an adapter tells of a socket. None of these throws. */
export interface SocketEvents {
  /** The bytes are valid until this returns. */
  frame(bytes: ArrayBuffer, isBinary: boolean): void;
  /** Its peer answered a ping, or sent one. It counts as a message: the library answers each ping at once. */
  alive(): void;
  /** A frame was dropped, as too much is buffered. It may be told within a call of `publish` or `send`. */
  dropped(): void;
  drained(): void;
  closed(): void;
}

export interface SocketHandlers {
  /** To be called once, before the first socket. */
  publishBy(publish: Publish): void;
  /**
   * Decides about an upgrade.
   *
   * @param id the stream's, as it stands in the path
   * @throws TangazaError `OVERLOADED` over a bound, `UNAVAILABLE`, `BAD_REQUEST` for another subprotocol
   */
  admit(request: HttpRequest, id: string): Ticket;
  open(link: SocketLink, ticket: Ticket): SocketEvents;
}

/** The longest message that is taken. */
export const messageBytes = 16_384;
/** A longer frame ends its socket without a word, as the library does not read it. */
export const frameBytes = 65_536;
/** The most that is buffered for one reader (A8). Over it, frames are dropped. */
export const bufferBytes = 262_144;
