/** What a relayer of one stream knows, and what it asks of its shell (relayer.ts). */
import type {
  HomePlace,
  IndexEntry,
  IndexRecord,
  StoredMedia,
} from '../../../cluster/contract/index-records.ts';
import type { PeriodId, RegionId, RenditionName, Sha256 } from '../../../cluster/model/ids.ts';
import type { FoldedTimeline } from '../../media/timeline/timeline.ts';

export interface RelayerIdentity {
  /** The region into whose log it writes. */
  readonly region: RegionId;
  /** The region whose log it reads. */
  readonly home: RegionId;
  /** Begins each of its record ids; no other relayer of this stream has it. */
  readonly name: string;
  /** With more records of this stream than this, it appends a snapshot of its own fold. */
  readonly maxLogRecords: number;
}

/** A record of the home that is not in this region's log yet. */
export interface Waiting {
  readonly entry: IndexEntry;
  readonly heardAtMs: number;
  /** It was read from the home's log, and not heard as it was written. */
  readonly isMissed: boolean;
  /** Which objects of a commit do not lie in this region's store; undefined until they were asked for. */
  readonly lacks: ReadonlySet<Sha256> | undefined;
}

export interface RelayerState {
  readonly life: 'active' | 'gone';
  readonly self: RelayerIdentity;
  /** The fold of this region's log. */
  readonly own: FoldedTimeline;
  readonly lastSequence: number;
  readonly lastRecordId: string | undefined;
  /** When this region's log last showed that it ends with that record. */
  readonly provenAtMs: number;
  readonly logRecords: number;
  readonly recordCount: number;
  /** Up to which record of the home `own` reaches. */
  readonly cursor: HomePlace | undefined;
  readonly waiting: readonly Waiting[];
  /** The fold of what the home relayed from another region, or wrote before what this log has, while the relayer reads that. */
  readonly mirror: { readonly timeline: FoldedTimeline; readonly last: IndexEntry } | undefined;
  /** The home's last record, as far as was heard. */
  readonly homeHead: number;
  /** Whether the fold must be written whatever the home has, as the log has lost some of it. */
  readonly mustWrite: boolean;
  /** From behind which record of the home it reads; `from` is undefined where it begins. Undefined: it reads nothing. */
  readonly asking: { readonly from: HomePlace | undefined } | undefined;
  /** The record under way to this region's log. */
  readonly appending: IndexRecord | undefined;
  readonly isReadingOwn: boolean;
  /** Set while this region's log was asked for and did not answer: nothing is appended before it has. */
  readonly mustReadOwn: boolean;
  readonly retryAtMs: number;
  /** Because of which record of the home it last began again, and how often. */
  readonly begun: { readonly at: number; readonly times: number } | undefined;
  /** The last relayed record, whose author a snapshot names. */
  readonly author: IndexRecord | undefined;
  readonly wantedUntilMs: number;
  /** Until then this region has a standby, which wants every rung. */
  readonly standbyUntilMs: number;
}

export type RelayerCommand =
  /** The home has published a record after its acknowledgement. `previous` is the place of the record before it. */
  | { readonly kind: 'heard'; readonly entry: IndexEntry; readonly previous: number }
  /** The home's last record. */
  | { readonly kind: 'head'; readonly sequence: number; readonly recordId: string }
  /** The home's records from where it was asked, in order. */
  | { readonly kind: 'homeRead'; readonly entries: readonly IndexEntry[] }
  | { readonly kind: 'homeUnreadable' }
  | { readonly kind: 'appended'; readonly recordId: string; readonly sequence: number }
  | { readonly kind: 'appendFailed'; readonly recordId: string }
  /** This region's records behind the last one that is known, and the tail. */
  | {
      readonly kind: 'ownRead';
      readonly entries: readonly IndexEntry[];
      readonly tail: IndexEntry | undefined;
    }
  | { readonly kind: 'ownUnreadable' }
  | { readonly kind: 'stored'; readonly sha256: Sha256 }
  /** An edge, or a standby, of this region needs the stream. */
  | { readonly kind: 'wanted'; readonly byStandby: boolean }
  | { readonly kind: 'tick' };

export type RelayerEffect =
  | { readonly kind: 'append'; readonly record: IndexRecord; readonly expectedSequence: number }
  /** Reads this region's log from there on. */
  | { readonly kind: 'readOwn'; readonly fromSequence: number }
  /** Reads the home's log: from a place on, or from its newest snapshot (from its first record where it has none). */
  | { readonly kind: 'readHome'; readonly from: number | 'snapshot' }
  /** Brings an object into this region's store. */
  | {
      readonly kind: 'pull';
      readonly period: PeriodId;
      readonly rendition: RenditionName;
      readonly media: StoredMedia;
    }
  | { readonly kind: 'purge'; readonly belowSequence: number }
  | { readonly kind: 'deactivate'; readonly reason: 'fenced' | 'unwanted' | 'wentBack' | 'unreadable' };
