/** Carries the events of the audience over core NATS: nothing of them is stored there, as the store of the comments is the truth (A7). */
import type { NatsConnection } from '@nats-io/transport-node';
import { subjects } from '../../../cluster/contract/subjects.ts';
import type { RegionId } from '../../../cluster/model/ids.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { isOverWithin } from '../../../cluster/time/within.ts';
import { beginningOf, eventText, readEvent, type AudienceEvents } from './audience-events.ts';
import type { Sender } from './numbers.ts';

interface NatsEventsOptions {
  /** NATS brings back what this node says, which is not read. */
  readonly self: Sender;
  readonly connection: NatsConnection;
  readonly region: RegionId;
  readonly clock: Clock;
  /** For how many ms NATS has been away; 0 while it is there. */
  readonly downMs: () => number;
}

/** How long a subscription may take to reach the server. */
const flushMs = 2000;

export function openNatsAudienceEvents(
  options: NatsEventsOptions,
): AudienceEvents & { readonly close: () => void } {
  const { self, connection, region, clock, downMs } = options;
  const ownBeginning = beginningOf(self);
  const backListeners = new Set<() => void>();
  const isAway = (): boolean => connection.isClosed() || downMs() > 0;
  let isOpen = true;
  void tellReconnects(connection, () => isOpen && backListeners.forEach((listener) => listener()));
  return {
    downMs,
    publish: (stream, event) => {
      if (isAway()) return false;
      connection.publish(subjects.audience(region, stream), eventText(event));
      return true;
    },
    listen: (stream, listener) => {
      const subscription = connection.subscribe(subjects.audience(region, stream), {
        callback: (error, message) => {
          if (error !== null) return;
          const text = message.string();
          if (!text.startsWith(ownBeginning)) listener.hear(readEvent(text, stream));
        },
      });
      const isListening = isAway()
        ? Promise.resolve(false)
        : isOverWithin(connection.flush(), { clock, ms: flushMs });
      return { isListening, stop: () => subscription.unsubscribe() };
    },
    onBack: (listener) => {
      backListeners.add(listener);
      return () => backListeners.delete(listener);
    },
    close: () => {
      isOpen = false;
      backListeners.clear();
    },
  };
}

async function tellReconnects(connection: NatsConnection, tell: () => void): Promise<void> {
  for await (const status of connection.status()) if (status.type === 'reconnect') tell();
}
