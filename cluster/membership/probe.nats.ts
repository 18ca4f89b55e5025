/** The NATS probe of failure detection: a request to the subject of one boot of one node, which that process answers (C3). */
import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { subjects } from '../contract/subjects.ts';
import type { BootId, NodeId, RegionId } from '../model/ids.ts';
import type { Clock } from '../time/clock.ts';

const ProbeReply = z.object({ utcMs: z.number(), monotonicMs: z.number() });

/** What one probe says of a peer's clocks. They were read between `sentAtMs` and `sentAtMs + roundTripMs` of our own. */
export interface ProbeSample extends z.infer<typeof ProbeReply> {
  readonly sentAtMs: number;
  readonly roundTripMs: number;
}

export interface Place {
  readonly connection: NatsConnection;
  readonly region: RegionId;
  readonly clock: Clock;
}

/** Answers probes of this boot, until the returned function is called. */
export function answerProbes({ connection, region, clock }: Place, node: NodeId, bootId: BootId): () => void {
  const subscription = connection.subscribe(subjects.probe(region, node, bootId), {
    callback: (error, message) => {
      if (error === null)
        message.respond(JSON.stringify({ utcMs: clock.utcMs(), monotonicMs: clock.monotonicMs() }));
    },
  });
  return () => subscription.unsubscribe();
}

/** @returns undefined when nobody answers within `timeoutMs`, whatever the cause */
export async function probeByNats(
  { connection, region, clock }: Place,
  peer: { readonly id: NodeId; readonly bootId: BootId },
  timeoutMs: number,
): Promise<ProbeSample | undefined> {
  const sentAtMs = clock.monotonicMs();
  try {
    const reply = await connection.request(subjects.probe(region, peer.id, peer.bootId), '', {
      timeout: timeoutMs,
    });
    const roundTripMs = clock.monotonicMs() - sentAtMs;
    return { ...ProbeReply.parse(JSON.parse(reply.string())), sentAtMs, roundTripMs };
  } catch {
    return undefined;
  }
}
