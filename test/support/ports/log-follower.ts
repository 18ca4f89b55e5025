/** A follower of an index log whose progress a test can wait for. */
import type { StreamId } from '../../../cluster/model/ids.ts';
import type { FollowItem, IndexLog } from '../../../cluster/log/index-log.ts';
import { waitForEvents } from '../wait.ts';

function labelOf(item: FollowItem): string {
  if ('record' in item) return item.record.recordId;
  return 'caughtUp' in item ? 'caughtUp' : 'wentBack';
}

export interface Following extends Disposable {
  readonly seen: readonly string[];
  readonly ended: Promise<void>;
  until(isDone: (seen: readonly string[]) => boolean): Promise<void>;
}

/** Follows the stream's log until it is disposed of; what came is told by record ids, `caughtUp` and `wentBack`. */
export function followLog(log: IndexLog, stream: StreamId, fromSequence: number): Following {
  const seen: string[] = [];
  const ending = new AbortController();
  let wake: (() => void) | undefined;
  const run = async (): Promise<void> => {
    for await (const item of log.follow(stream, fromSequence, ending.signal)) {
      seen.push(labelOf(item));
      wake?.();
    }
  };
  const ended = run();
  return {
    seen,
    ended,
    until: async (isDone) => {
      const next = () => new Promise<void>((resolve) => (wake = resolve));
      await waitForEvents(`of the log is seen: ${isDone.toString()}`, () => isDone(seen), next);
    },
    [Symbol.dispose]: () => ending.abort(),
  };
}
