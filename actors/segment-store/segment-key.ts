/** Names store objects by their content, so that no stale or truncated writer can take a good segment's name (M5). */
import type { PeriodId, RenditionName, Sha256, StreamId } from '../../cluster/model/ids.ts';

export interface SegmentPlace {
  readonly stream: StreamId;
  readonly period: PeriodId;
  readonly rendition: RenditionName;
}

const hash16 = (sha256: Sha256): string => sha256.slice(0, 16);

/** `{stream}/{period}/{rendition}/{startTime}-{first 16 hex of sha256}` */
export function segmentKey(
  { stream, period, rendition }: SegmentPlace,
  startTime: number,
  sha256: Sha256,
): string {
  return `${stream}/${period}/${rendition}/${startTime}-${hash16(sha256)}`;
}

export function initKey({ stream, period, rendition }: SegmentPlace, sha256: Sha256): string {
  return `${stream}/${period}/${rendition}/init-${hash16(sha256)}`;
}
