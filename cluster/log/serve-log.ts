/** Answers other regions' questions about the logs of this region: a relayer there reads what it has not heard (R4). */
import { Gate } from '../bounds/gate.ts';
import type { IndexEntry } from '../contract/index-records.ts';
import {
  logPage,
  readHead,
  readLog,
  type LogPage,
  type ReadHeadReply,
  type ReadLogParams,
} from '../contract/regions/log.ts';
import type { StreamId } from '../model/ids.ts';
import type { OtherRegions } from '../region/other-regions.ts';
import type { IndexLog } from './index-log.ts';

/** Questions at once. Each reads a stream's log from some place on. */
const limits = { about: 'reading a log for another region', running: 8, waiting: 128 } as const;

export interface ServeLogPorts {
  readonly log: Pick<IndexLog, 'read' | 'tail'>;
  readonly others: Pick<OtherRegions, 'regions' | 'serve'>;
}

/** Serves `log-read` and `log-head`, unless there is no other region. @returns what ends it */
export function serveLog({ log, others }: ServeLogPorts): () => void {
  if (others.regions.length === 0) return () => {};
  const gate = new Gate(limits);
  const stops = [
    others.serve(readLog, (params) => gate.run(() => pageOf(log, params))),
    others.serve(readHead, ({ stream }) => gate.run(() => headOf(log, stream))),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

async function pageOf(log: ServeLogPorts['log'], { stream, from }: ReadLogParams): Promise<LogPage> {
  // One record more than a page says whether there is more.
  const read =
    from === 'snapshot'
      ? fromNewestSnapshot(await log.read(stream))
      : await log.read(stream, from, logPage.maxRecords + 1);
  const entries = read.slice(0, fittingIn(read));
  const hasPlace = from === 'snapshot' || entries[0]?.sequence === from;
  return { entries, hasMore: entries.length < read.length, hasPlace };
}

/** The records from the newest snapshot on, or all of them. */
function fromNewestSnapshot(entries: readonly IndexEntry[]): readonly IndexEntry[] {
  return entries.slice(
    Math.max(
      0,
      entries.findLastIndex(({ record }) => record.kind === 'snapshot'),
    ),
  );
}

/** How many of the first records one answer takes: at least one. */
function fittingIn(entries: readonly IndexEntry[]): number {
  let bytes = 0;
  for (const [at, entry] of entries.slice(0, logPage.maxRecords).entries()) {
    bytes += Buffer.byteLength(JSON.stringify(entry));
    if (bytes > logPage.maxBytes && at > 0) return at;
  }
  return Math.min(entries.length, logPage.maxRecords);
}

async function headOf(log: ServeLogPorts['log'], stream: StreamId): Promise<ReadHeadReply> {
  const tail = await log.tail(stream);
  if (tail === undefined) return {};
  const { recordId, epoch } = tail.record;
  return { head: { sequence: tail.sequence, recordId, epoch } };
}
