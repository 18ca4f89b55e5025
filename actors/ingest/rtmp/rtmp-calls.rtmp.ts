/** The commands of a connection that need an answer and begin or end no stream: `connect`, `createStream` and small talk. */
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { Command, PlainCommand } from './rtmp-command.ts';
import * as commands from './rtmp-commands.rtmp.ts';

const maxStreams = 8;

type Connect = Extract<Command, { kind: 'connect' }>;

export class Calls {
  readonly #send: (bytes: Buffer) => void;
  #connect: Connect | undefined;
  /** Message streams that were created and not deleted. */
  readonly #streams = new Set<number>();
  #lastStream = 0;

  constructor(send: (bytes: Buffer) => void) {
    this.#send = send;
  }

  /** What `connect` named; empty before it. */
  get app(): string {
    return this.#connect?.app ?? '';
  }

  get encoder(): string | undefined {
    return this.#connect?.encoder;
  }

  /** The encoder understands `reconnectRequest`. */
  get canReconnect(): boolean {
    return this.#connect?.canReconnect ?? false;
  }

  connect(command: Connect): void {
    this.#connect = command;
    this.#send(commands.connectReply(command.transaction, command.objectEncoding));
  }

  /** @throws TangazaError `BAD_REQUEST` for a ninth stream */
  createStream(transaction: number): void {
    if (this.#streams.size >= maxStreams)
      throw new TangazaError('BAD_REQUEST', 'too many streams on one connection');
    this.#lastStream += 1;
    this.#streams.add(this.#lastStream);
    this.#send(commands.createStreamReply(transaction, this.#lastStream));
  }

  /** @returns whether there was one of that id */
  deleteStream(stream: number): boolean {
    return this.#streams.delete(stream);
  }

  /** Answers as common servers do. An answer of the peer's gets none, or two servers would talk for ever. */
  answer(command: PlainCommand): void {
    if (command.kind === 'answer') return;
    const { kind, transaction } = command;
    if (kind === 'fcPublish') this.#send(commands.fcReply('onFCPublish'));
    if (kind === 'fcUnpublish') this.#send(commands.fcReply('onFCUnpublish'));
    if (transaction <= 0) return;
    if (kind === 'unknown') this.#send(commands.callUnknown(transaction));
    else this.#send(commands.callReply(transaction, kind === 'call' ? command.answer : undefined));
  }
}
