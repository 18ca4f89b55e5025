/** The texts of the operator page's table of regions. Links are those of the region whose node answers. Pure. */
import type { RegionsView } from '../../../cluster/contract/api/control-views.ts';
import { duration, type Line, type Mark } from './ops-words.ts';

type Region = RegionsView['regions'][number];
type Link = Region['links'][number];

/** A wall clock that is further away is said in `/readyz`, too. */
const mostOffsetMs = 2000;

export interface RegionWords {
  readonly id: string;
  readonly name: Line;
  readonly link: Mark;
  /** How fast the link is, or how old the numbers are. */
  readonly linkDetail: string;
  readonly streams: string;
  readonly connections: string;
  /** What this region got from that one; undefined for itself, and where nobody has counted. */
  readonly across: Line | undefined;
  readonly clock: Line | undefined;
}

/** One for each region; none where there is no other region. */
export function regionWords({ regions }: Pick<RegionsView, 'regions'>): readonly RegionWords[] {
  if (regions.length < 2) return [];
  const links = regions.find(({ isOwn }) => isOwn)?.links ?? [];
  return regions.map((region) =>
    wordsOf(
      region,
      links.find(({ to }) => to === region.id),
    ),
  );
}

function wordsOf(region: Region, link: Link | undefined): RegionWords {
  const { id, ordinal, isOwn, onAir, connections } = region;
  return {
    id,
    name: { text: id, detail: `ordinal ${ordinal}` },
    link: linkMark(region, link),
    linkDetail: isOwn ? '' : linkDetail(region, link),
    streams: onAir?.toLocaleString('en') ?? '–',
    connections: connections?.toLocaleString('en') ?? '–',
    across: link === undefined ? undefined : across(link),
    clock: link === undefined ? undefined : clockLine(link),
  };
}

function linkMark({ isOwn, isReached }: Region, link: Link | undefined): Mark {
  if (isOwn) return { text: 'this region', tone: 'good' };
  if (link === undefined) return { text: 'no link', tone: 'bad' };
  const age = duration(link.forSeconds * 1000);
  if (!link.isUp) return { text: `down for ${age}`, tone: 'bad' };
  return isReached
    ? { text: `up for ${age}`, tone: 'good' }
    : { text: `up for ${age}, no answer`, tone: 'warn' };
}

function linkDetail({ isReached, ageSeconds }: Region, link: Link | undefined): string {
  if (isReached)
    return link?.roundTripMs === undefined ? '' : `${link.roundTripMs.toFixed(1)} ms there and back`;
  return ageSeconds === undefined ? 'no numbers yet' : `numbers of ${duration(ageSeconds * 1000)} ago`;
}

function across({ bytesIn, bytesOut, mediaBytesIn }: Link): Line {
  const calls = `calls and events ${bytes(bytesIn)} in, ${bytes(bytesOut)} out`;
  return {
    text: mediaBytesIn === undefined ? 'media not known' : `media ${bytes(mediaBytesIn)} in`,
    detail: calls,
  };
}

function clockLine({ clockOffsetMs }: Link): Line | undefined {
  if (clockOffsetMs === undefined || Math.abs(clockOffsetMs) <= mostOffsetMs) return undefined;
  const way = clockOffsetMs > 0 ? 'ahead' : 'behind';
  return {
    text: `${duration(Math.abs(clockOffsetMs))} ${way}`,
    detail: 'of this region; set the clocks of both by NTP',
    tone: 'bad',
  };
}

/** `812 B`, `48.2 kB`, `1.3 GB` */
function bytes(number: number): string {
  if (number < 1000) return `${number} B`;
  const [unit = 'TB', size = 1e12] =
    (
      [
        ['kB', 1e3],
        ['MB', 1e6],
        ['GB', 1e9],
      ] as const
    ).find(([, one]) => number < one * 1000) ?? [];
  return `${(number / size).toFixed(1)} ${unit}`;
}
