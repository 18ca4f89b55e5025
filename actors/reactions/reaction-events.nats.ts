/** Carries reactions and numbers of audiences over core NATS. A message that cannot be read counts as none. */
import type { NatsConnection } from '@nats-io/transport-node';
import type { z } from 'zod';
import { subjects } from '../../cluster/contract/subjects.ts';
import type { RegionId } from '../../cluster/model/ids.ts';
import { CountsEvent, MovedEvent, WindowEvent, type ReactionEvents } from './reaction-events.ts';

interface NatsReactionOptions {
  readonly connection: NatsConnection;
  readonly region: RegionId;
  /** For how many ms NATS has been away; 0 while it is there. */
  readonly downMs: () => number;
}

export function openNatsReactionEvents({ connection, region, downMs }: NatsReactionOptions): ReactionEvents {
  const publish = (subject: string, event: object): boolean => {
    if (connection.isClosed() || downMs() > 0) return false;
    const payload = Buffer.from(JSON.stringify(event));
    // The client throws at what is longer than the server takes.
    if (payload.length > (connection.info?.max_payload ?? Infinity)) return false;
    connection.publish(subject, payload);
    return true;
  };
  const subscribe = <T>(
    subject: string,
    schema: z.ZodType<T>,
    listener: (event: T) => void,
  ): (() => void) => {
    const subscription = connection.subscribe(subject, {
      callback: (error, message) => {
        const event = error === null ? read(schema, message.string()) : undefined;
        if (event !== undefined) listener(event);
      },
    });
    return () => subscription.unsubscribe();
  };
  return {
    publishWindow: (stream, event) => publish(subjects.reactions(region, stream), event),
    listen: (stream, listener) => subscribe(subjects.reactions(region, stream), WindowEvent, listener),
    publishCounts: (event) => publish(subjects.audienceCounts(region), event),
    onCounts: (listener) => subscribe(subjects.audienceCounts(region), CountsEvent, listener),
    publishMoved: (to, event) => publish(subjects.playersMoved(region, to), event),
    onMoved: (node, listener) => subscribe(subjects.playersMoved(region, node), MovedEvent, listener),
  };
}

function read<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
