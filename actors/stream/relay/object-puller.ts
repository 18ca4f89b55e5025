/** The port through which a relayer has objects of another region brought into this region's store (R5). */
import type { StoredMedia } from '../../../cluster/contract/index-records.ts';
import type { PeriodId, RegionId, RenditionName, StreamId } from '../../../cluster/model/ids.ts';

export interface WantedObject {
  readonly streamId: StreamId;
  readonly home: RegionId;
  /** The period under whose name it is stored. */
  readonly period: PeriodId;
  readonly rendition: RenditionName;
  readonly media: StoredMedia;
}

export interface ObjectPuller {
  /** @returns whether it lies in this region's store now. Never throws: a commit waits for its objects for a second only */
  pull(object: WantedObject): Promise<boolean>;
}
