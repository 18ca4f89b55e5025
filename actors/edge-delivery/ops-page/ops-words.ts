/** The texts of the operator page: states, figures and consequences in words. Pure. */
import type { AudienceView } from '../../../cluster/contract/audience/reactions.ts';
import type { ClusterView, LiveStreams } from '../../../cluster/contract/api/control-views.ts';
import type { StreamHealth } from '../../../cluster/contract/stream-health.ts';

export type Tone = 'good' | 'warn' | 'bad' | 'quiet';
export interface Mark {
  readonly text: string;
  readonly tone: Tone;
}
/** A line of text, and what explains it. */
export interface Line {
  readonly text: string;
  readonly detail?: string;
  readonly tone?: Tone;
}

type Node = ClusterView['nodes'][number];
type Rendition = StreamHealth['renditions'][number];
type Publisher = NonNullable<StreamHealth['sessions']>[number];

/** A rendition that is further behind is shown as slow. */
const slowLagMs = 12_000;
/** A publisher that is silent for longer is shown as stopped. */
const silentMs = 3000;

/**
 * Says whether a text could be the operator's token. A browser sends no other characters in an Authorization header, so no node needs to be
 * asked.
 */
export const maybeToken = (text: string): boolean => /^[\x21-\x7e]+$/.test(text);

export function nodeMark({ state, isSuspected }: Pick<Node, 'state' | 'isSuspected'>): Mark {
  if (state === 'dead') return { text: 'dead', tone: 'bad' };
  if (isSuspected) return { text: 'does not answer', tone: 'bad' };
  return state === 'alive' ? { text: 'alive', tone: 'good' } : { text: 'draining', tone: 'warn' };
}

/** @param health undefined when the node did not answer */
export function streamMark(health: StreamHealth | undefined): Mark {
  if (health === undefined) return { text: 'not known', tone: 'warn' };
  switch (health.state) {
    case 'live':
      return { text: 'live', tone: 'good' };
    case 'starting':
    case 'degraded':
    case 'unknown':
      return { text: health.state, tone: 'warn' };
    case 'refused':
      return { text: 'refused', tone: 'bad' };
    default:
      return { text: 'offline', tone: 'quiet' };
  }
}

type Live = LiveStreams['items'][number];

/** Of a stream that another region broadcasts, as that region told. */
export function awayMark(
  { region, state, unheard }: Pick<Live, 'region' | 'state' | 'unheard'>,
  nowMs: number,
): Mark {
  const where = `in ${region ?? 'another region'}`;
  if (unheard === undefined) return { text: `${state} ${where}`, tone: state === 'live' ? 'good' : 'warn' };
  const forText = duration(Math.max(0, nowMs - Date.parse(unheard.since)));
  return { text: `${where}, not heard for ${forText}`, tone: 'bad' };
}

/** e.g. `12 viewers, 10 sockets of 4 users`. A viewer counts once, whether it plays or is connected. */
export function audienceText(audience: Omit<AudienceView, 'asOf'>): string {
  const { players, sockets, users, suspectedRobots } = audience;
  const viewers = count(Math.max(players, sockets), 'viewer');
  const connected = sockets === 0 ? [] : [`${count(sockets, 'socket')} of ${count(users, 'user')}`];
  const robots = suspectedRobots === 0 ? [] : [count(suspectedRobots, 'suspected robot')];
  return [viewers, ...connected, ...robots].join(', ');
}

/** e.g. `2 of 3 nodes alive, 1 stream on air, 12 viewers' connections`. */
export function summaryOf({ nodes, stale }: Pick<ClusterView, 'nodes' | 'stale'>): string {
  const alive = nodes.filter(({ state }) => state !== 'dead').length;
  const onAir = sum(nodes.map(({ load }) => load.onAir ?? 0));
  const viewers = sum(nodes.map(({ load }) => load.connections ?? 0));
  const now = `${alive} of ${count(nodes.length, 'node')} alive, ${count(onAir, 'stream')} on air, ${count(viewers, 'connection')} of viewers`;
  return stale === undefined
    ? now
    : `As of ${duration(stale.ageMs)} ago (${stale.reason}): ${alive} of ${count(nodes.length, 'node')} alive`;
}

export function publisherLine({
  node,
  role,
  encoder,
  remoteAddress,
  bitrateBps,
  lastPacketAgeMs,
  warnings,
}: Publisher): Line {
  const isSilent = lastPacketAgeMs > silentMs;
  const rate = bitrateBps === undefined ? '' : `, ${bitrate(bitrateBps)}`;
  const silence = isSilent ? `, silent for ${duration(lastPacketAgeMs)}` : '';
  const detail = [role === 'active' ? '' : role, encoder ?? '', remoteAddress, ...warnings];
  return {
    text: `at ${node}${rate}${silence}`,
    detail: detail.filter((part) => part !== '').join(' · '),
    ...(isSilent ? { tone: 'bad' } : warnings.length > 0 ? { tone: 'warn' } : {}),
  };
}

/** None of a stream that nothing comes of: how long it has been off air is no delay. */
export function renditionLines({
  state,
  renditions,
}: Pick<StreamHealth, 'state' | 'renditions'>): readonly Line[] {
  return state === 'offline' || state === 'refused' ? [] : renditions.map(renditionLine);
}

function renditionLine({ name, lagMs, recentGaps }: Rendition): Line {
  const gaps = recentGaps === 0 ? '' : `, ${count(recentGaps, 'gap')} in 10 min`;
  const tone = recentGaps > 0 ? 'bad' : 'warn';
  return {
    text: `${name} ${(lagMs / 1000).toFixed(1)} s${gaps}`,
    ...(recentGaps > 0 || lagMs > slowLagMs ? { tone } : {}),
  };
}

/** e.g. `H.264 1280x720 25.00 fps, AAC, 2,500 kbit/s, keyframes 2.0 s apart`. */
export function inputText(input: NonNullable<StreamHealth['input']>): string {
  const { videoCodec, width, height, fps, audioCodec, bitrateBps, keyframeIntervalSeconds } = input;
  const size = width === undefined ? '' : ` ${width}x${height ?? '?'} ${fps?.toFixed(2) ?? '?'} fps`;
  const parts = [
    videoCodec === undefined ? '' : `${videoCodec}${size}`,
    audioCodec ?? '',
    bitrateBps === undefined ? '' : bitrate(bitrateBps),
    keyframeIntervalSeconds === undefined ? '' : `keyframes ${keyframeIntervalSeconds.toFixed(1)} s apart`,
  ];
  return parts.filter((part) => part !== '').join(', ');
}

export function drainWords(node: string, { onAir, connections }: Node['load']): string {
  return (
    `${node} hands over ${count(onAir ?? 0, 'stream')}, sends its publishers and ${count(connections ?? 0, 'connection')} of viewers ` +
    'to the other nodes, and then its process ends. Nobody loses a segment. This cannot be taken back: start the node again when you want it back.'
  );
}

export function releaseWords(suspects: readonly string[]): string {
  return (
    `${suspects.join(', ')} ${suspects.length === 1 ? 'is' : 'are'} declared dead at once, and other nodes take over what ` +
    'they own. Do this when you know that they are really gone. One that lives gives up its streams and joins again by itself.'
  );
}

export const rotateWords =
  'The present key ends at once, and whoever publishes with it is disconnected. The new key is shown once: have the encoder at hand.';
export const deleteWords =
  'Its publisher is disconnected, its pages and its recording are gone, and its id cannot be used again for 30 days. This cannot be taken back.';

/** A rounded, short duration: `850 ms`, `12 s`, `5 min`, `3 h`, `2 days`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return ms < 172_800_000 ? `${Math.round(ms / 3_600_000)} h` : `${Math.round(ms / 86_400_000)} days`;
}

export function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}

const bitrate = (bps: number): string => `${Math.round(bps / 1000).toLocaleString('en')} kbit/s`;
const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
