/** Names of the owner's archive objects, `index/{stream}/{epoch}-{number}.json`: folds of what has left the log (C7). */
export interface ArchiveName {
  readonly key: string;
  readonly epoch: number;
  /** Number of the first segment that is not in it. */
  readonly nextNumber: number;
}

const archiveKey = /^index\/[a-z0-9][a-z0-9_-]*\/(\d+)-(\d+)\.json$/;

/** What all archives of a stream begin with. */
export const archivePrefix = (stream: string): string => `index/${stream}/`;

/** @returns undefined for a key that names no archive */
export function parseArchiveKey(key: string): ArchiveName | undefined {
  const [, epoch, nextNumber] = archiveKey.exec(key) ?? [];
  return nextNumber === undefined ? undefined : { key, epoch: Number(epoch), nextNumber: Number(nextNumber) };
}

/** Oldest first: by epoch, then by number; a store lists them in order of text. */
export function byAge(left: ArchiveName, right: ArchiveName): number {
  return left.epoch - right.epoch || left.nextNumber - right.nextNumber;
}
