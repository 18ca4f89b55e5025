/**
 * What crosses between regions of a stream's log: its records, its head, and what a relayer asks for (R4).
 *
 * The home's owner publishes each record after its acknowledgement. It may be lost, as any event: gaps show in `previous`, and what is missing
 * is asked for by a call. All streams of a region share one JetStream stream, so gaps in sequences show nothing.
 */
import { z } from 'zod';
import { Epoch, StreamId } from '../../model/ids.ts';
import { IndexRecord } from '../index-records.ts';
import type { RegionCall, RegionEvent } from './crossing.ts';

const sequence = z.number().int().positive();

const LogEntry = z.object({ sequence, record: IndexRecord });

export const PublishedRecord = LogEntry.extend({
  /** The sequence of the record before it in the stream's log; 0 for the first. */
  previous: z.number().int().nonnegative(),
});
export type PublishedRecord = z.infer<typeof PublishedRecord>;

/** The last record of a log. */
export const LogHead = z.object({ sequence, recordId: z.string().min(1).max(64), epoch: Epoch });
export type LogHead = z.infer<typeof LogHead>;

/** A record that the home's owner has just appended. A longer one, as a snapshot may be, is read by a call. */
export const recordPublished: RegionEvent<PublishedRecord> = {
  name: 'rec',
  event: PublishedRecord,
  maxBytes: 256 * 1024,
  perSecond: 4000,
};

/** The head of the home's log, told by its owner every 500 ms. */
export const headTold: RegionEvent<LogHead> = {
  name: 'head',
  event: LogHead,
  maxBytes: 512,
  perSecond: 8000,
};

/** Bounds of one answer to `readLog`. The first record is in it whatever its size: no record is longer than NATS takes. */
export const logPage = { maxRecords: 512, maxBytes: 480_000 } as const;

export const ReadLogParams = z.object({
  stream: StreamId,
  /** From this place on, or from the newest snapshot (from the first record where there is none). */
  from: z.union([sequence, z.literal('snapshot')]),
});
export type ReadLogParams = z.infer<typeof ReadLogParams>;

export const LogPage = z.object({
  /** In the order of the log; none where the log has nothing from there on. */
  entries: z.array(LogEntry).max(logPage.maxRecords),
  /** Whether the log has more behind the last of them. */
  hasMore: z.boolean(),
  /** Whether the log still has a record at that place. If not, it was purged, or the log is another one now. */
  hasPlace: z.boolean(),
});
export type LogPage = z.infer<typeof LogPage>;

/** Reads a page of a stream's log. */
export const readLog: RegionCall<ReadLogParams, LogPage> = {
  name: 'log-read',
  params: ReadLogParams,
  result: LogPage,
  maxBytes: 512,
  // NATS takes 1 MiB; a snapshot's state alone may have 900 kB.
  maxResultBytes: 1_040_000,
  perSecond: 200,
};

export const ReadHeadParams = z.object({ stream: StreamId });
export type ReadHeadParams = z.infer<typeof ReadHeadParams>;

export const ReadHeadReply = z.object({
  /** Absent for an empty log. */
  head: LogHead.optional(),
});
export type ReadHeadReply = z.infer<typeof ReadHeadReply>;

/** Asks for the head of a stream's log, whose owner has told none for a while. */
export const readHead: RegionCall<ReadHeadParams, ReadHeadReply> = {
  name: 'log-head',
  params: ReadHeadParams,
  result: ReadHeadReply,
  maxBytes: 512,
  maxResultBytes: 1024,
  perSecond: 1000,
};
