/**
 * How one region's database tells another region what has changed in it (R12, A14). Each database has an id, and numbers its changes. Who asks
 * says up to which change it has taken all, and thereby that it has committed them.
 */
import { z } from 'zod';

/** Made with the file. Another one at the same place is another database, and is read from its beginning. */
export const DatabaseId = z.string().regex(/^[0-9a-zA-Z-]{1,64}$/);

const seq = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);

export const ChangesQuery = z.object({
  /** The database that asks. */
  by: DatabaseId,
  /** The database that it has read so far, and up to which change; absent: none. */
  of: DatabaseId.optional(),
  afterSeq: seq,
});
export type ChangesQuery = z.infer<typeof ChangesQuery>;

/** Changes in the order of their numbers. What changed twice is there once, as it is now. */
export interface Changes<Change> {
  readonly databaseId: string;
  readonly changes: readonly Change[];
  /** All up to this one were told, by this answer and those before. */
  readonly toSeq: number;
  /** False: there is more now. */
  readonly isAll: boolean;
}

/** @param most of them in one answer */
export function changesOf<Change>(change: z.ZodType<Change>, most: number): z.ZodType<Changes<Change>> {
  return z.object({
    databaseId: DatabaseId,
    changes: z.array(change).max(most).readonly(),
    toSeq: seq,
    isAll: z.boolean(),
  });
}

/** Something has changed there. */
export const ChangedEvent = z.object({ databaseId: DatabaseId });
export type ChangedEvent = z.infer<typeof ChangedEvent>;
