/**
 * Names the owner's checkpoints, `index/{stream}/{epoch}-{number}.json`. Those that stay hold what has left the log
 * (C7).
 */
export interface ArchiveName {
  readonly key: string;
  readonly epoch: number;
  /** The number of the first segment that is not in it. */
  readonly nextNumber: number;
}

const pattern = /^index\/[a-z0-9][a-z0-9_-]*\/(\d+)-(\d+)\.json$/;

/** The prefix of all of a stream's archives. */
export const archivePrefix = (stream: string): string => `index/${stream}/`;

export const archiveKey = (stream: string, epoch: number, nextNumber: number): string =>
  `${archivePrefix(stream)}${epoch}-${nextNumber}.json`;

/** @returns undefined for a key that names no archive */
export function parseArchiveKey(key: string): ArchiveName | undefined {
  const [, epoch, nextNumber] = pattern.exec(key) ?? [];
  return nextNumber === undefined ? undefined : { key, epoch: Number(epoch), nextNumber: Number(nextNumber) };
}

/** Orders archives by epoch, then by number, oldest first. A store lists them in order of text instead. */
export function byAge(left: ArchiveName, right: ArchiveName): number {
  return left.epoch - right.epoch || left.nextNumber - right.nextNumber;
}
