/** What the picture assembler asks of each codec: which picture a unit (NAL unit or OBU) belongs to. */
import type { Obu } from '../../../media/av1/obu.ts';

/** Whether a unit belongs to the picture that comes next, begins one, or belongs to the one under way. */
export type UnitPlace = 'next' | 'begins' | 'goesOn';

export interface CodedUnit {
  /** Offset in the message, of what precedes the unit (its length) too. */
  readonly start: number;
  readonly bytes: Uint8Array;
  /** AV1 only. */
  readonly obu?: Obu;
}

/** Keeps what it must know of earlier units; asked once for each unit, in order. */
export interface UnitRules {
  /** @throws TangazaError `MEDIA_INVALID` when the message does not split; nothing is remembered of it then */
  split(message: Uint8Array): readonly CodedUnit[];
  judge(unit: CodedUnit): UnitPlace;
  /** Forgets what was judged `next` since the last picture: it does not count for the picture to come. */
  dropNext(): void;
  /** A copy of these units of the message, which stand side by side, in the form in which samples hold them. */
  copy(message: Uint8Array, units: readonly CodedUnit[]): Uint8Array;
  /** The picture that began with the last unit judged `begins`. */
  readonly begun: BegunPicture;
}

/** What a picture is for cutting (M3). `maybeKey`: a random-access picture that leading pictures may follow; they decide. */
export type PictureRole = 'key' | 'maybeKey' | 'leading' | 'rasl' | 'other';

export interface BegunPicture {
  readonly role: PictureRole;
  /** H.264 and HEVC: the parameter sets in front of it; copies. */
  readonly parameterSets: readonly Uint8Array[];
  /** Why it is no place to cut though it looks like a keyframe. */
  readonly nearKey?: NearKey;
}

/** An I picture of an open GOP; a recovery point of a feed with intra refresh; an AV1 key frame without its header. */
export type NearKey = 'openGop' | 'intraRefresh' | 'noHeader';
