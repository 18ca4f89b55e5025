/**
 * Parses the RTMP commands of a publisher, strictly.
 *
 * Our own bounded AMF reader reads what strangers send. node-media-server's follows any depth, reads past the end of
 * strings, and prints what it does not know.
 */
import { z } from 'zod';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { Amf0Reader } from '../../media/flv/amf0.ts';

/** Commands that need an answer and nothing else. */
export type PlainCommand =
  | { readonly kind: 'releaseStream' | 'fcPublish' | 'fcUnpublish'; readonly transaction: number }
  /** A call that has an answer, if only an empty one. */
  | { readonly kind: 'call'; readonly transaction: number; readonly answer: 0 | undefined }
  | { readonly kind: 'unknown'; readonly transaction: number }
  /** An answer of the peer's. */
  | { readonly kind: 'answer' };

export type Command =
  | {
      readonly kind: 'connect';
      readonly transaction: number;
      readonly app: string;
      readonly encoder?: string;
      readonly objectEncoding: number;
      /** It understands `reconnectRequest`. */
      readonly canReconnect: boolean;
    }
  | { readonly kind: 'createStream'; readonly transaction: number }
  | { readonly kind: 'publish'; readonly name: string }
  | { readonly kind: 'play' }
  /** Closes the message stream that it comes on, which may publish again. */
  | { readonly kind: 'closeStream' }
  | { readonly kind: 'deleteStream'; readonly stream: number }
  /** Closes the whole connection. */
  | { readonly kind: 'close' }
  | PlainCommand;

const maxCommandBytes = 65_536;
const reconnectCap = 1; // bit of Enhanced RTMP's `capsEx`
const text = z.string().max(2048);
const ConnectProperties = z.object({
  app: text.default(''),
  flashVer: z.unknown().optional(),
  objectEncoding: z.unknown().optional(),
  capsEx: z.unknown().optional(),
});
const Finite = z.number().catch(0);

type ReadCommand = (transaction: number, object: unknown, argument: unknown) => Command;

const answer: ReadCommand = () => ({ kind: 'answer' });
const play: ReadCommand = () => ({ kind: 'play' });
const emptyCall: ReadCommand = (transaction) => ({ kind: 'call', transaction, answer: undefined });

const commands = new Map<string, ReadCommand>([
  ['connect', (transaction, object) => connectCommand(transaction, object)],
  ['createStream', (transaction) => ({ kind: 'createStream', transaction })],
  ['releaseStream', (transaction) => ({ kind: 'releaseStream', transaction })],
  ['FCPublish', (transaction) => ({ kind: 'fcPublish', transaction })],
  ['FCUnpublish', (transaction) => ({ kind: 'fcUnpublish', transaction })],
  ['publish', (_transaction, _object, name) => ({ kind: 'publish', name: text.catch('').parse(name) })],
  ['play', play],
  ['play2', play],
  ['closeStream', () => ({ kind: 'closeStream' })],
  ['deleteStream', (_transaction, _object, id) => ({ kind: 'deleteStream', stream: Finite.parse(id) })],
  ['close', () => ({ kind: 'close' })],
  ['getStreamLength', (transaction) => ({ kind: 'call', transaction, answer: 0 })],
  ['_checkbw', emptyCall],
  ['checkBandwidth', emptyCall],
  ['_result', answer],
  ['_error', answer],
  ['onStatus', answer],
  ['onBWDone', answer],
]);

/** @throws TangazaError `MEDIA_INVALID` for what is no AMF0 command */
export function parseCommand(payload: Buffer): Command {
  const [name, transactionValue, object, argument] = decode(payload);
  if (typeof name !== 'string') throw new TangazaError('MEDIA_INVALID', 'An RTMP command without a name.');
  const transaction = Finite.parse(transactionValue);
  return commands.get(name)?.(transaction, object, argument) ?? { kind: 'unknown', transaction };
}

function connectCommand(transaction: number, object: unknown): Command {
  const parsed = ConnectProperties.safeParse(object instanceof Map ? Object.fromEntries(object) : undefined);
  if (!parsed.success) throw new TangazaError('MEDIA_INVALID', 'An RTMP connect without its properties.');
  const { app, flashVer, objectEncoding, capsEx } = parsed.data;
  return {
    kind: 'connect',
    transaction,
    app,
    objectEncoding: typeof objectEncoding === 'number' ? objectEncoding : 0,
    canReconnect: typeof capsEx === 'number' && (capsEx & reconnectCap) !== 0,
    ...(typeof flashVer === 'string' ? { encoder: flashVer.slice(0, 100) } : {}),
  };
}

function decode(payload: Buffer): readonly unknown[] {
  if (payload.length > maxCommandBytes)
    throw new TangazaError('MEDIA_INVALID', 'An RTMP command over 64 kB.');
  const reader = new Amf0Reader(payload);
  const values: unknown[] = [];
  while (reader.hasMore) values.push(reader.value());
  return values;
}
