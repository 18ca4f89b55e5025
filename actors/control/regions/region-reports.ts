/**
 * Tells an operator of all regions. Each region reports of itself, when it is asked. Of one that cannot be asked, the last report is
 * shown with its age; before there is any, only what it told of its streams and edges.
 */
import type { ClusterView, RegionsView } from '../../../cluster/contract/api/control-views.ts';
import {
  regionReport,
  type RegionReport,
  type ReportedLink,
} from '../../../cluster/contract/regions/report.ts';
import type { RegionId } from '../../../cluster/model/ids.ts';
import type { Elsewhere } from '../../../cluster/region/elsewhere.ts';
import type { OtherRegions, RegionLink } from '../../../cluster/region/other-regions.ts';
import type { Topology } from '../../../cluster/region/topology/topology.ts';
import type { Clock } from '../../../cluster/time/clock.ts';

/** A region that does not answer so fast is shown as it was. */
const askMs = 1500;
/** Several look at once: a region asks its own nodes no more often than this. */
const keepMs = 500;

export interface RegionReportPorts {
  readonly region: RegionId;
  readonly topology: Topology;
  readonly others: OtherRegions;
  readonly elsewhere: Pick<Elsewhere, 'streams'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Bytes of media that this region's edges got from another one. */
  readonly mediaBytesFrom: (region: RegionId) => number;
  /** @throws TangazaError `LOG_UNAVAILABLE` */
  readonly cluster: () => Promise<ClusterView>;
}

type Shown = RegionsView['regions'][number];

export class RegionReports {
  readonly #ports: RegionReportPorts;
  readonly #last = new Map<RegionId, { readonly atMs: number; readonly report: RegionReport }>();
  #own: { readonly atMs: number; readonly report: Promise<RegionReport> } | undefined;
  #stop: () => void = () => {};

  constructor(ports: RegionReportPorts) {
    this.#ports = ports;
  }

  /** Answers other regions. */
  start(): void {
    if (this.#ports.others.regions.length > 0)
      this.#stop = this.#ports.others.serve(regionReport, () => this.#ownReport());
  }

  stop(): void {
    this.#stop();
  }

  /** @throws TangazaError `LOG_UNAVAILABLE` when NATS does not answer and nothing is known of the own region */
  async view(): Promise<RegionsView> {
    const { topology } = this.#ports;
    const regions = await Promise.all(topology.regions.map((one) => this.#shown(one)));
    return { topologyVersion: topology.version, regions };
  }

  async #shown({ id, ordinal }: Topology['regions'][number]): Promise<Shown> {
    const { region, others, clock } = this.#ports;
    const about = { id, ordinal, isOwn: id === region };
    if (id === region) return { ...about, isReached: true, ...(await this.#ownReport()) };
    try {
      const report = await others.call(id, regionReport, {}, { key: 'operators', withinMs: askMs });
      this.#last.set(id, { atMs: clock.monotonicMs(), report });
      return { ...about, isReached: true, ...report };
    } catch {
      return { ...about, isReached: false, ...this.#asKnown(id) };
    }
  }

  #asKnown(id: RegionId): Omit<Shown, 'id' | 'ordinal' | 'isOwn' | 'isReached'> {
    const last = this.#last.get(id);
    if (last !== undefined)
      return { ...last.report, ageSeconds: secondsOf(this.#ports.clock.monotonicMs() - last.atMs) };
    const told = this.#ports.elsewhere.streams().filter(({ region }) => region === id);
    if (told.length === 0) return { links: [] };
    const ageMs = Math.min(...told.map((stream) => stream.ageMs));
    return { links: [], onAir: told.filter(({ isOnAir }) => isOnAir).length, ageSeconds: secondsOf(ageMs) };
  }

  #ownReport(): Promise<RegionReport> {
    const nowMs = this.#ports.clock.monotonicMs();
    if (this.#own === undefined || nowMs - this.#own.atMs > keepMs)
      this.#own = { atMs: nowMs, report: this.#report() };
    return this.#own.report;
  }

  async #report(): Promise<RegionReport> {
    const { cluster, region, others, clock, mediaBytesFrom } = this.#ports;
    const { nodes } = await cluster();
    const own = nodes.filter((node) => node.region === region);
    const sum = (of: (node: (typeof own)[number]) => number | undefined): number =>
      own.reduce((total, node) => total + (of(node) ?? 0), 0);
    return {
      nodes: own.length,
      alive: own.filter(({ state }) => state === 'alive').length,
      onAir: sum(({ load }) => load.onAir),
      connections: sum(({ load }) => load.connections),
      links: others.links().map((link) => ({
        ...reportedLink(link, clock.monotonicMs()),
        mediaBytesIn: mediaBytesFrom(link.region),
      })),
    };
  }
}

function reportedLink(link: RegionLink, nowMs: number): ReportedLink {
  const { region: to, isUp, sinceMs, roundTripMs, offsetMs, gateways, bytesIn, bytesOut } = link;
  return {
    to,
    isUp,
    forSeconds: secondsOf(nowMs - sinceMs),
    ...(roundTripMs === undefined ? {} : { roundTripMs: tenths(roundTripMs) }),
    // Of a link that is down it is the last one known, and the clocks may have been set since.
    ...(offsetMs === undefined || !isUp ? {} : { clockOffsetMs: Math.round(offsetMs) }),
    gateways: [...gateways],
    bytesIn,
    bytesOut,
  };
}

const secondsOf = (ms: number): number => tenths(Math.max(0, ms) / 1000);
const tenths = (number: number): number => Math.round(number * 10) / 10;
