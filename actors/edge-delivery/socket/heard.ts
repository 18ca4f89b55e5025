/** Reads a client's frame: the border at which it is checked, once. A fault is its sender's alone, and is answered. */
import { z } from 'zod';
import { ClientMessage, type ServerMessage } from '../../../cluster/contract/audience/socket-messages.ts';
import { socketCloses, type SocketClose } from '../../../cluster/contract/audience/socket-closes.ts';
import { sentenceOf } from '../../../cluster/errors/input-sentences.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { ClientId, CommentId } from '../../../cluster/model/ids.ts';
import { messageBytes } from './socket-port.ts';

/** Which message an error answers, as far as it can be told. */
export type About = Pick<Extract<ServerMessage, { type: 'error' }>, 'to' | 'clientId' | 'id'>;

export type Heard =
  | { readonly kind: 'message'; readonly message: ClientMessage }
  /** `about`: what the fault is in, as far as it can be told. `close`: the socket ends. */
  | {
      readonly kind: 'fault';
      readonly error: TangazaError;
      readonly about?: About;
      readonly close?: SocketClose;
    };

const utf8 = new TextDecoder('utf-8', { fatal: true });
const mostFaults = 10;

export function hear(bytes: ArrayBuffer, isBinary: boolean): Heard {
  if (isBinary) return fault('UNSUPPORTED_MEDIA_TYPE', 'Send text frames: JSON.', socketCloses.binary);
  if (bytes.byteLength > messageBytes)
    return fault('BODY_TOO_LARGE', `A message has ${messageBytes} bytes at most.`, socketCloses.tooLarge);
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(bytes));
  } catch {
    return fault('BAD_REQUEST', 'The message is not JSON in UTF-8.');
  }
  const read = ClientMessage.safeParse(value, { error: sentenceOf });
  if (read.success) return { kind: 'message', message: read.data };
  const faults = read.error.issues.slice(0, mostFaults).map(({ path, message }) => {
    const name = path.map(String).join('.');
    return `${name === '' ? 'The message' : `The message's ${name}`} ${message}`;
  });
  return { ...fault('BAD_REQUEST', `${faults.join('; and ')}.`), ...aboutOf(value) };
}

function fault(
  code: 'UNSUPPORTED_MEDIA_TYPE' | 'BODY_TOO_LARGE' | 'BAD_REQUEST',
  detail: string,
  close?: SocketClose,
): Heard & { kind: 'fault' } {
  return { kind: 'fault', error: new TangazaError(code, detail), ...(close === undefined ? {} : { close }) };
}

const Named = z.object({
  type: z.enum(['comment', 'like', 'unlike', 'react']).optional().catch(undefined),
  clientId: ClientId.optional().catch(undefined),
  id: CommentId.optional().catch(undefined),
});

/** So that a page finds what it said, also one that is newer than this node. */
function aboutOf(value: unknown): { about?: About } {
  const { type: to, clientId, id } = Named.safeParse(value).data ?? {};
  const about = {
    ...(to === undefined ? {} : { to }),
    ...(clientId === undefined ? {} : { clientId }),
    ...(id === undefined ? {} : { id }),
  };
  return Object.keys(about).length === 0 ? {} : { about };
}
