/**
 * How one region's database tells another region what has changed in it (R12, A14). Each database has an id, and numbers its changes. Who asks
 * says up to which change it has taken all, and thereby that it has committed them. A database that was put back from a backup numbers anew what
 * it writes then. So a mark says in whose time a number was given.
 */
import { z } from 'zod';
import type { RegionCall } from './crossing.ts';

/** Made with the file. Another one at the same place is another database, and is read from its beginning. */
export const DatabaseId = z.string().regex(/^[0-9a-zA-Z-]{1,64}$/);

/** Made by whoever opens the database, before the first change that it writes. */
const Mark = z.string().regex(/^[0-9a-zA-Z-]{1,64}$/);

const seq = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);

export const ChangesQuery = z.object({
  /** The database that asks. */
  by: DatabaseId,
  /** The database that it has read so far, and up to which change; absent: none. */
  of: DatabaseId.optional(),
  afterSeq: seq,
  /** Came with `afterSeq`; absent where the answer had none. */
  mark: Mark.optional(),
});
export type ChangesQuery = z.infer<typeof ChangesQuery>;

/** Changes in the order of their numbers. What changed twice is there once, as it is now. */
export interface Changes<Change> {
  readonly databaseId: string;
  readonly changes: readonly Change[];
  /** All up to this one were told, by this answer and those before. */
  readonly toSeq: number;
  /** Of the change `toSeq`. If another one stands there later, the database went back, and is read from its beginning. */
  readonly mark?: string | undefined;
  /** False: there is more now. */
  readonly isAll: boolean;
}

/** How many changes one answer holds at most. */
export const mostChanges = 500;
/** How long they are together, as JSON in UTF-8; what stands around them has room in an answer as well. */
const mostChangeBytes = 400_000;
const answerBytes = 700_000;

/**
 * Those of the numbered rows whose changes fit into one answer, from the first one on.
 *
 * @param rows in the order of their numbers, `mostChanges` of them at most
 * @param read gives what a row is now; undefined where it is gone
 * @param range the change behind which the rows begin, and the last one that there was before they were read
 */
export function changesThatFit<Row extends { readonly seq: number }, Change>(
  rows: readonly Row[],
  read: (row: Row) => Change | undefined,
  { fromSeq, lastSeq }: { readonly fromSeq: number; readonly lastSeq: number },
): Pick<Changes<Change>, 'changes' | 'toSeq' | 'isAll'> {
  const changes: Change[] = [];
  let toSeq = fromSeq;
  let bytes = 0;
  for (const row of rows) {
    const change = read(row);
    bytes += change === undefined ? 0 : Buffer.byteLength(JSON.stringify(change));
    if (bytes > mostChangeBytes && changes.length > 0) break;
    if (change !== undefined) changes.push(change);
    toSeq = row.seq;
  }
  const isAll = rows.length < mostChanges && toSeq === (rows.at(-1)?.seq ?? fromSeq);
  return { changes, toSeq: isAll ? Math.max(toSeq, lastSeq) : toSeq, isAll };
}

/** The call by which a region asks for the changes of another one's database. */
export function changesCall<Change>(
  name: string,
  change: z.ZodType<Change>,
  perSecond: number,
): RegionCall<ChangesQuery, Changes<Change>> {
  const changes = z.array(change).max(mostChanges).readonly();
  const result = z.object({
    databaseId: DatabaseId,
    changes,
    toSeq: seq,
    mark: Mark.optional(),
    isAll: z.boolean(),
  });
  return { name, params: ChangesQuery, result, maxBytes: 1000, maxResultBytes: answerBytes, perSecond };
}

/** Something has changed there. */
export const ChangedEvent = z.object({ databaseId: DatabaseId });
export type ChangedEvent = z.infer<typeof ChangedEvent>;
