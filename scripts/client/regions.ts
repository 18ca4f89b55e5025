/** Shows the regions of a deployment as two tables: what is there, and how they reach each other. */
import type { RegionsView } from '../../cluster/contract/api/control-views.ts';
import { table } from './api.ts';
import { describeAge } from './staleness.ts';

type Region = RegionsView['regions'][number];

export function describeRegions({ regions }: RegionsView): string {
  const own = regions.find(({ isOwn }) => isOwn)?.links ?? [];
  const isLinked = ({ id }: Region): boolean => own.some(({ to, isUp }) => to === id && isUp);
  const rows = regions.map((region) => ({
    region: region.id,
    ordinal: region.ordinal,
    state: stateOf(region, isLinked(region)),
    nodes: region.nodes === undefined ? '?' : `${region.alive} of ${region.nodes}`,
    streams: region.onAir ?? '?',
    connections: region.connections ?? '?',
  }));
  const links = regions.flatMap((region) => region.links.map((link) => linkRow(region, link)));
  return [
    table(rows, 'No regions.'),
    ...(links.length === 0 ? [] : [table(links, '')]),
    ...regions.filter(({ isReached }) => !isReached).map((region) => silent(region, isLinked(region))),
  ].join('\n');
}

const stateOf = ({ isOwn, isReached }: Region, isLinked: boolean): string => {
  if (isOwn) return 'answers';
  if (isReached) return 'reached';
  return isLinked ? 'no answer' : 'cut off';
};

function linkRow({ id, isReached }: Region, link: Region['links'][number]) {
  const { to, isUp, forSeconds, roundTripMs, gateways, bytesIn, bytesOut, mediaBytesIn } = link;
  return {
    link: `${id} -> ${to}`,
    state: `${isUp ? 'up' : 'down'} for ${describeAge(forSeconds * 1000)}${isReached ? '' : ', as last known'}`,
    'round trip': roundTripMs === undefined ? '?' : `${roundTripMs.toFixed(1)} ms`,
    in: describeBytes(bytesIn),
    out: describeBytes(bytesOut),
    'media in': mediaBytesIn === undefined ? '?' : describeBytes(mediaBytesIn),
    gateways: gateways.join(', ') || 'none',
  };
}

/** A region whose link is up may be slow to report, or nobody has asked it before. */
function silent({ id, ageSeconds }: Region, isLinked: boolean): string {
  const why = isLinked ? `${id} does not answer, though the link to it is up` : `${id} cannot be reached`;
  return ageSeconds === undefined
    ? `${why}: no numbers yet.\n`
    : `${why}: its numbers are as of ${describeAge(ageSeconds * 1000)} ago.\n`;
}

/** `812 B`, `48.2 kB`, `1.3 GB` */
function describeBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const [size = bytes, unit = 'GB'] = [
    [bytes / 1e3, 'kB'] as const,
    [bytes / 1e6, 'MB'] as const,
    [bytes / 1e9, 'GB'] as const,
  ].find(([scaled]) => scaled < 1000) ?? [bytes / 1e9, 'GB'];
  return `${size.toFixed(1)} ${unit}`;
}
