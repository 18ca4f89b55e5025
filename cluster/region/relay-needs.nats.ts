/** Carries needs and what is relayed over the region's own NATS, as plain messages that nobody stores (R4). */
import type { NatsConnection } from '@nats-io/transport-node';
import type { z } from 'zod';
import { NeedMessage, RelayedMessage, relayMessages } from '../contract/relay-needs.ts';
import { subjects } from '../contract/subjects.ts';
import type { NodeId, RegionId } from '../model/ids.ts';
import type { RelayNeeds } from './relay-needs.ts';

export interface NatsRelayNeedsOptions {
  readonly connection: NatsConnection;
  readonly region: RegionId;
  readonly node: NodeId;
}

export function natsRelayNeeds({ connection, region, node }: NatsRelayNeedsOptions): RelayNeeds {
  const [needs, relayed] = [subjects.relayNeeds(region), subjects.relayed(region)];
  const publish = (subject: string, message: NeedMessage | RelayedMessage): void => {
    if (!connection.isClosed()) connection.publish(subject, JSON.stringify(message));
  };
  /** A message that cannot be read counts as none. */
  const subscribe = <M>(subject: string, schema: z.ZodType<M>, listener: (message: M) => void) => {
    const subscription = connection.subscribe(subject, {
      callback: (error, message) => {
        const read = error === null ? schema.safeParse(jsonOf(message.string())) : undefined;
        if (read?.success === true) listener(read.data);
      },
    });
    return () => subscription.unsubscribe();
  };
  return {
    need: (streams, byStandby) => {
      for (const part of partsOf(streams))
        publish(needs, { node, streams: part, ...(byStandby === true ? { byStandby } : {}) });
    },
    onNeed: (listener) => subscribe(needs, NeedMessage, listener),
    tell: (streams) => {
      for (const part of partsOf(streams)) publish(relayed, { node, streams: part });
    },
    onRelayed: (listener) =>
      subscribe(relayed, RelayedMessage, ({ streams }) => {
        for (const stream of streams) listener(stream);
      }),
  };
}

function* partsOf<T>(all: readonly T[]): Iterable<T[]> {
  const { maxStreams } = relayMessages;
  for (let at = 0; at < all.length; at += maxStreams) yield all.slice(at, at + maxStreams);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
