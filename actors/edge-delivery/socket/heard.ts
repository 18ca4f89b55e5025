/** Reads a client's frame: the border at which it is checked, once. A fault is its sender's alone, and is answered. */
import { ClientMessage } from '../../../cluster/contract/audience/socket-messages.ts';
import { socketCloses, type SocketClose } from '../../../cluster/contract/audience/socket-closes.ts';
import { sentenceOf } from '../../../cluster/errors/input-sentences.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { ClientId } from '../../../cluster/model/ids.ts';
import { messageBytes } from './socket-port.ts';

export type Heard =
  | { readonly kind: 'message'; readonly message: ClientMessage }
  /** `clientId`: which comment the fault is in. `close`: the socket ends. */
  | {
      readonly kind: 'fault';
      readonly error: TangazaError;
      readonly clientId?: ClientId;
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
  return { ...fault('BAD_REQUEST', `${faults.join('; and ')}.`), ...clientIdOf(value) };
}

function fault(
  code: 'UNSUPPORTED_MEDIA_TYPE' | 'BODY_TOO_LARGE' | 'BAD_REQUEST',
  detail: string,
  close?: SocketClose,
): Heard & { kind: 'fault' } {
  return { kind: 'fault', error: new TangazaError(code, detail), ...(close === undefined ? {} : { close }) };
}

/** So that a page finds the comment that the fault is in. */
function clientIdOf(value: unknown): { clientId?: ClientId } {
  if (typeof value !== 'object' || value === null) return {};
  const clientId = ClientId.safeParse(Reflect.get(value, 'clientId'));
  return clientId.success ? { clientId: clientId.data } : {};
}
