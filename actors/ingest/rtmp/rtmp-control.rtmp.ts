/** Handles protocol control and user control messages of one connection: keeps windows, answers pings, ignores the rest. */
import { messageTypes, type RtmpMessage } from './rtmp-chunks.ts';
import * as commands from './rtmp-commands.rtmp.ts';
import { ReceiveWindow, SendWindow } from './windows.ts';

/** The event type of a ping in user control messages. */
const pingRequest = 6;

export class ProtocolControl {
  readonly #send: (bytes: Buffer) => void;
  readonly #received = new ReceiveWindow();
  readonly #sendWindow = new SendWindow(commands.sendWindowBytes);

  constructor(send: (bytes: Buffer) => void) {
    this.#send = send;
  }

  get receivedBytes(): number {
    return this.#received.received;
  }

  took(bytes: number): void {
    this.#received.take(bytes);
  }

  acknowledge(): void {
    const sequence = this.#received.due();
    if (sequence !== undefined) this.#send(commands.acknowledgement(sequence));
  }

  /** The chunk reader itself handles chunk sizes and aborts. */
  onMessage({ type, payload }: RtmpMessage): void {
    switch (type) {
      case messageTypes.windowAcknowledgementSize:
        if (payload.length >= 4) this.#received.announce(payload.readUInt32BE(0));
        return;
      case messageTypes.setPeerBandwidth:
        if (payload.length >= 5) this.#limit(payload.readUInt32BE(0), payload.readUInt8(4));
        return;
      case messageTypes.userControl:
        if (payload.length >= 6 && payload.readUInt16BE(0) === pingRequest)
          this.#send(commands.pong(payload.subarray(2)));
        return;
      default:
    }
  }

  #limit(bytes: number, type: number): void {
    const changed = this.#sendWindow.limit(bytes, type);
    if (changed !== undefined) this.#send(commands.sendWindow(changed));
  }
}
