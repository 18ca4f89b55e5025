/** Names of the owner's checkpoints, `index/{stream}/{epoch}-{number}.json`; what has left the log is in those that stay (C7). */
export interface ArchiveName {
  readonly key: string;
  readonly epoch: number;
  /** Number of the first segment that is not in it. */
  readonly nextNumber: number;
}

const pattern = /^index\/[a-z0-9][a-z0-9_-]*\/(\d+)-(\d+)\.json$/;

/** What all archives of a stream begin with. */
export const archivePrefix = (stream: string): string => `index/${stream}/`;

export const archiveKey = (stream: string, epoch: number, nextNumber: number): string =>
  `${archivePrefix(stream)}${epoch}-${nextNumber}.json`;

/** @returns undefined for a key that names no archive */
export function parseArchiveKey(key: string): ArchiveName | undefined {
  const [, epoch, nextNumber] = pattern.exec(key) ?? [];
  return nextNumber === undefined ? undefined : { key, epoch: Number(epoch), nextNumber: Number(nextNumber) };
}

/** Oldest first: by epoch, then by number; a store lists them in order of text. */
export function byAge(left: ArchiveName, right: ArchiveName): number {
  return left.epoch - right.epoch || left.nextNumber - right.nextNumber;
}
