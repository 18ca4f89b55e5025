/** What the actors of this node listen to on its own NATS: one subscription for each subject, whoever shares it. */
import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import type { Logger } from '../../observe/logger.ts';

interface Heard {
  readonly subscription: Subscription;
  readonly listeners: Set<(text: string) => void>;
}

export class Listening {
  readonly #connection: NatsConnection;
  readonly #logger: Logger;
  readonly #heard = new Map<string, Heard>();

  constructor({ connection, logger }: { readonly connection: NatsConnection; readonly logger: Logger }) {
    this.#connection = connection;
    this.#logger = logger;
  }

  has(subject: string): boolean {
    return this.#heard.has(subject);
  }

  /** The rest of each subject that begins so. */
  behind(prefix: string): readonly string[] {
    return [...this.#heard.keys()]
      .filter((subject) => subject.startsWith(prefix))
      .map((subject) => subject.slice(prefix.length));
  }

  /** @returns what ends it */
  on(subject: string, listener: (text: string) => void): () => void {
    const heard = this.#heard.get(subject) ?? this.#subscribe(subject);
    heard.listeners.add(listener);
    return () => {
      heard.listeners.delete(listener);
      if (heard.listeners.size > 0 || this.#heard.get(subject) !== heard) return;
      heard.subscription.unsubscribe();
      this.#heard.delete(subject);
    };
  }

  close(): void {
    for (const { subscription } of this.#heard.values()) subscription.unsubscribe();
    this.#heard.clear();
  }

  #subscribe(subject: string): Heard {
    const listeners = new Set<(text: string) => void>();
    const subscription = this.#connection.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) this.#tell(subject, message.string(), listeners);
      },
    });
    const heard = { subscription, listeners };
    this.#heard.set(subject, heard);
    return heard;
  }

  /** A listener that fails costs no other one its event. */
  #tell(subject: string, text: string, listeners: ReadonlySet<(text: string) => void>): void {
    for (const listener of listeners) {
      try {
        listener(text);
      } catch (error) {
        this.#logger.error({ err: error, subject }, 'who listens to an event of a region failed');
      }
    }
  }
}
