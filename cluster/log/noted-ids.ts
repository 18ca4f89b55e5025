/** Notes how far the region's log and the epochs of its streams have come, so that `/readyz` can warn long before ids of periods run out (M1). */
import { Epoch } from '../model/ids.ts';
import { periodIdsWarning } from '../model/branch.ts';
import type { IndexLog } from './index-log.ts';

export interface NotedLog {
  readonly log: IndexLog;
  /** A sentence for operators; undefined while there is nothing to warn of. */
  readonly warning: () => string | undefined;
}

/** The same log, which notes what this node appends and finds at the end of it. */
export function notingIds(log: IndexLog): NotedLog {
  let [lastSequence, highestEpoch] = [0, Epoch.parse(0)];
  const note = (sequence: number, epoch: Epoch): void => {
    lastSequence = Math.max(lastSequence, sequence);
    if (epoch > highestEpoch) highestEpoch = epoch;
  };
  const noted: IndexLog = {
    append: async (stream, record, expectedSequence) => {
      const sequence = await log.append(stream, record, expectedSequence);
      note(sequence, record.epoch);
      return sequence;
    },
    tail: async (stream) => {
      const tail = await log.tail(stream);
      if (tail !== undefined) note(tail.sequence, tail.record.epoch);
      return tail;
    },
    read: (stream, fromSequence, atMost) => log.read(stream, fromSequence, atMost),
    follow: (stream, fromSequence, signal) => log.follow(stream, fromSequence, signal),
    purgeBelow: (stream, sequence) => log.purgeBelow(stream, sequence),
  };
  return { log: noted, warning: () => periodIdsWarning({ lastSequence, highestEpoch }) };
}
