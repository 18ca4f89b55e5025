/** Sends and receives the messages between the player in a frame and the page around it. */
import type { EmbedCommand, EmbedEvent } from '../viewing/embed-messages.ts';
import { envelope, parentOrigin, readCommand } from '../viewing/embed-messages.ts';

export class Embedding {
  readonly #streamId: string;
  readonly #origin: string | undefined;
  #told = '';

  constructor(streamId: string, query: URLSearchParams, onCommand: (command: EmbedCommand) => void) {
    this.#streamId = streamId;
    this.#origin = parentOrigin({
      asked: query.get('origin'),
      ancestor: location.ancestorOrigins?.[0],
      referrer: document.referrer,
      isFramed: window.parent !== window,
    });
    window.addEventListener('message', ({ source, origin, data }) => {
      if (source !== window.parent || origin !== this.#origin) return;
      const command = readCommand(data);
      if (command !== undefined) onCommand(command);
    });
  }

  tell(event: EmbedEvent): void {
    if (this.#origin !== undefined) window.parent.postMessage(envelope(this.#streamId, event), this.#origin);
  }

  /** Only if it differs from the last event of its kind. */
  tellChange(event: EmbedEvent): void {
    const text = JSON.stringify(event);
    if (text === this.#told) return;
    this.#told = text;
    this.tell(event);
  }
}
