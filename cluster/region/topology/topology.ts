/** The regions of a deployment: which there are, and how their gateways, tokens and databases are reached (R1). Equal on all nodes. */
import { ordinalOfEpoch } from '../../model/branch.ts';
import type { Epoch, RegionId } from '../../model/ids.ts';
import { regionNamed } from '../../model/region-words.ts';

export const highestOrdinal = 63;

/** One region as the topology file describes it. */
export interface Region {
  readonly id: RegionId;
  /** 0 to 63. It is part of every epoch of the region, so it is never changed and never given to another region (C5). */
  readonly ordinal: number;
  /** How nodes of other regions reach this region's NATS; empty for a region that nothing else reaches. */
  readonly gateway: GatewayAccess;
  /** Degrees of latitude and longitude. */
  readonly position: { readonly latitude: number; readonly longitude: number } | undefined;
  /** The region's relative share of viewers. */
  readonly weight: number;
}

/** What a gateway connects with. File names are absolute. */
export interface GatewayAccess {
  /** `tls://nats1.eu.example:4222`; `nats://` is for one machine. */
  readonly natsUrls: readonly string[];
  /** The certificate authority, and the client's own certificate and key, in PEM. */
  readonly tls:
    | { readonly caFile: string; readonly certFile?: string; readonly keyFile?: string }
    | undefined;
  /** A NATS credentials file, or user and password in a file of one line each. */
  readonly credentialsFile: string | undefined;
}

export interface Topology {
  /** Raised with every change of the file; 0 where there is none. */
  readonly version: number;
  /** At least one; in order of their ordinals. */
  readonly regions: readonly Region[];
}

/** Of a deployment that has no file of regions: it may have one later, in which this region keeps its ordinal. */
export const topologyOfOne = (id: RegionId, ordinal = 0): Topology => ({
  version: 0,
  regions: [{ id, ordinal, gateway: noGateway, position: undefined, weight: 1 }],
});

export const noGateway: GatewayAccess = { natsUrls: [], tls: undefined, credentialsFile: undefined };

/** @param id one of the topology's regions, which the node's own always is */
export function ordinalOf({ regions }: Topology, id: RegionId): number {
  const region = regions.find((one) => one.id === id);
  if (region === undefined) throw new Error(`the topology has no ${regionNamed(id)}`);
  return region.ordinal;
}

/** The region that mints such epochs; undefined for an ordinal that no region has (C5). */
export const regionOfEpoch = ({ regions }: Topology, epoch: Epoch): RegionId | undefined =>
  regions.find(({ ordinal }) => ordinal === ordinalOfEpoch(epoch))?.id;
