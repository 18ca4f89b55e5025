/** What the edge asks of the manifest makers, and how it names a manifest: one spelling for each, so that each is made once. */
import type { DeviceType } from '../../cluster/contract/routes-node.ts';
import type { StreamId } from '../../cluster/model/ids.ts';
import type { Timeline } from '../media/timeline/timeline.ts';

export interface Edge {
  readonly id: string;
  readonly region: string;
  /** Base URL for viewers, without a trailing slash. */
  readonly url: string;
}

/** The edges that serve viewers, in order of id; equal on every node that has the revision (M14). */
export interface EdgeDirectory {
  readonly revision: number;
  readonly edges: readonly Edge[];
}

export type ManifestKind =
  | { readonly kind: 'dash' }
  | { readonly kind: 'hlsMain' }
  | { readonly kind: 'hlsMedia'; readonly rendition: string; readonly isDelta: boolean };

export interface ManifestInput {
  readonly streamId: StreamId;
  readonly what: ManifestKind;
  readonly device: DeviceType | undefined;
  readonly edges: EdgeDirectory;
  readonly dvrWindowSeconds: number;
}

/** @returns undefined for a rendition that the stream has not */
export type RenderManifest = (timeline: Timeline, input: ManifestInput) => string | undefined;

export const manifestTypes: Readonly<Record<ManifestKind['kind'], string>> = {
  dash: 'application/dash+xml',
  hlsMain: 'application/vnd.apple.mpegurl',
  hlsMedia: 'application/vnd.apple.mpegurl',
};

/** `path`, or `path?query` with the parameters that matter in a fixed order. */
export function canonicalTarget(path: string, { what, device }: Pick<ManifestInput, 'what' | 'device'>): string {
  const query = [
    ...(device === undefined ? [] : [`device=${device}`]),
    ...(what.kind === 'hlsMedia' && what.isDelta ? ['_HLS_skip=YES'] : []),
  ];
  return query.length === 0 ? path : `${path}?${query.join('&')}`;
}
