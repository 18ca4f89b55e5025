/** Asks the nodes of the region over NATS which data centres they do without, and answers them. A lost answer counts as none. */
import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { subjects } from '../contract/subjects.ts';
import type { RegionId } from '../model/ids.ts';
import type { OtherNodes } from './doubt.ts';

/** For how long answers are gathered. */
const gatherMs = 300;
const Names = z.array(z.string()).max(64);

export interface AnsweringNode extends OtherNodes {
  /** From now on this node answers, too. @param failed names those that it has seen fail, and that may lack something */
  answer(failed: () => readonly string[]): void;
}

/** It ends with the connection. */
export function openOtherNodes(connection: NatsConnection, region: RegionId): AnsweringNode {
  const subject = subjects.doneWithout(region);
  return {
    doWithout: async () => {
      const heard: (readonly string[])[] = [];
      try {
        for await (const answer of await connection.requestMany(subject, '', {
          strategy: 'timer',
          maxWait: gatherMs,
        }))
          heard.push(namesIn(answer.string()));
      } catch {
        // nobody listens, or NATS is away
      }
      return heard.length === 0 ? undefined : new Set(heard.flat());
    },
    answer: (failed) => {
      connection.subscribe(subject, {
        callback: (error, message) => {
          if (error === null) message.respond(JSON.stringify(failed()));
        },
      });
    },
  };
}

/** A node that cannot be understood does without nothing. */
function namesIn(text: string): readonly string[] {
  try {
    return Names.parse(JSON.parse(text));
  } catch {
    return [];
  }
}
