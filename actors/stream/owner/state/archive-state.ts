/** What an owner has put away of its log: archives of old segments, and checkpoints of its fold (C7). */

export interface CheckpointMade {
  readonly nextNumber: number;
  readonly nextOrdinal: number;
}

export interface ArchiveState {
  readonly isArchiving: boolean;
  /** Segments below this number are in archives. */
  readonly archivedBelow: number;
  readonly isCheckpointing: boolean;
  readonly checkpointRetryAtMs: number;
  /** The last checkpoint, and its key while the next one may supersede it. */
  readonly checkpointed:
    | { readonly nextNumber: number; readonly nextOrdinal: number; readonly key: string | undefined }
    | undefined;
}
