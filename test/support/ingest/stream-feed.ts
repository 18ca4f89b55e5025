/** Feeds a stream actor on a real log, and reads what it wrote. */
import { applyEntry, emptyTimeline } from '../../../actors/media/timeline/fold.ts';
import type { FoldedTimeline } from '../../../actors/media/timeline/timeline.ts';
import type { IndexEntry, IndexRecord } from '../../../cluster/contract/index-records.ts';
import type {
  AttachParams,
  AttachReply,
  InputCall,
  OpenPeriodParams,
  OpenPeriodReply,
} from '../../../cluster/contract/stream-actions.ts';
import { errorCodeOf } from '../../../cluster/errors/tangaza-error.ts';
import { type Epoch, NodeId, type PeriodId, SessionId } from '../../../cluster/model/ids.ts';
import type { IndexLog } from '../../../cluster/log/index-log.ts';
import { doneReport, OwnerHarness, sourceAudio, sourceVideo } from './owner-harness.ts';
import { sha, stream } from '../ports/records.ts';
import type { TestActor } from '../ports/region-ports.ts';
import { waitForEvents } from '../wait.ts';

export const session = SessionId.parse('s1');
export const builder = new OwnerHarness();
/** Of the ladder that the actor under test has. */
export const encodedRungs = 2;

export const attachParams = (change: Partial<AttachParams> = {}): AttachParams => ({
  streamId: stream,
  sessionId: session,
  node: NodeId.parse('n1'),
  remoteAddress: '10.0.0.1',
  priority: 0,
  ladder: 'default',
  ...change,
});

/** The session sends, and is attached under that epoch. */
export const reportUnder = (epoch: Epoch, sessionId = session): InputCall => ({
  streamId: stream,
  sessionId,
  bitrateBps: 1,
  lastPacketAgeMs: 0,
  warnings: [],
  epoch,
});

export const codeOf = (work: Promise<unknown>): Promise<string> => work.then(() => 'none', errorCodeOf);

export async function attach({ actor }: TestActor, change: Partial<AttachParams> = {}): Promise<Epoch> {
  const reply = await actor.attach(attachParams(change));
  return (reply as AttachReply).epoch;
}

export async function begin(
  test: TestActor,
  connectionZeroMs = 0,
): Promise<{ readonly epoch: Epoch; readonly period: PeriodId }> {
  const epoch = await attach(test);
  const params: OpenPeriodParams = {
    streamId: stream,
    sessionId: session,
    epoch,
    sequenceHeaderHash: sha('5e'),
    connectionZeroMs,
    wallZeroMs: Date.now(),
    video: sourceVideo,
    audio: sourceAudio,
  };
  const reply = await test.actor.openPeriod(params);
  return { epoch, period: (reply as OpenPeriodReply).period };
}

/** Finishes the tasks of one segment, whichever its rungs were shared out to (M12). */
export async function finishSegment(test: TestActor): Promise<void> {
  const made = new Set<string>();
  await waitForEvents(
    'every rung is made',
    () => made.size >= encodedRungs,
    async () => {
      const task = await test.nextTask();
      await test.actor.report(doneReport(task));
      for (const { name } of task.renditions) made.add(name);
    },
  );
}

/** Offers a segment, finishes its tasks. */
export async function feed(
  test: TestActor,
  { epoch, period }: { readonly epoch: Epoch; readonly period: PeriodId },
  index: number,
): Promise<void> {
  await test.actor.offer({ streamId: stream, epoch, offer: builder.segment(period, index) });
  await finishSegment(test);
}

/** Reads the log until it satisfies; fails by the test's time-out. */
export async function logUntil(
  log: IndexLog,
  isDone: (records: readonly IndexRecord[]) => boolean,
): Promise<readonly IndexEntry[]> {
  const ending = new AbortController();
  const entries: IndexEntry[] = [];
  for await (const item of log.follow(stream, 1, ending.signal)) {
    if (!('record' in item)) continue;
    entries.push(item);
    if (!isDone(entries.map((entry) => entry.record))) continue;
    ending.abort();
    return entries;
  }
  throw new Error('the log ended');
}

export const count = (records: readonly IndexRecord[], kind: IndexRecord['kind']): number =>
  records.filter((one) => one.kind === kind).length;
export const fold = (entries: readonly IndexEntry[]): FoldedTimeline =>
  entries.reduce<FoldedTimeline>(applyEntry, emptyTimeline());
