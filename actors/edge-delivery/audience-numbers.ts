/**
 * The numbers of this edge's audience (A10), and the routes of reactions, which it serves itself: a tap costs no call to another actor.
 *
 * Bound: reactions of one network, over HTTP and sockets together; more are refused (A5).
 */
import { Buckets } from '../../cluster/bounds/buckets.ts';
import {
  nobody,
  ReactBody,
  viewersOf,
  type AudienceCounts,
} from '../../cluster/contract/audience/reactions.ts';
import type { AudiencePorts } from '../../cluster/contract/audience/audience-feed.ts';
import { reactionRoutes } from '../../cluster/contract/api/reaction-routes.ts';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import type { StreamId } from '../../cluster/model/ids.ts';
import type { Metrics } from '../../cluster/observe/metrics.ts';
import type { Clock } from '../../cluster/time/clock.ts';
import { defineRoute, withoutQuery, type LocalRoute } from './http/define-route.ts';
import { emptyReply, jsonReply } from './http/http.ts';
import { mustBeKnown } from './playback/stream-finder.ts';
import type { KnownStreams } from './public/known-streams.ts';
import type { PlayerSessions } from './public/player-sessions.ts';

interface AudienceNumbersPorts {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly audience: AudiencePorts;
  readonly knownStreams: KnownStreams;
  readonly react: React;
  /** Of each stream that has sockets here. */
  readonly sockets: () => Iterable<readonly [StreamId, Pick<AudienceCounts, 'sockets' | 'users'>]>;
  readonly players: PlayerSessions;
  /** Is the broadcast over? Then it has no audience, whoever stays. */
  readonly isOver: (stream: StreamId) => boolean;
}

type CountsByStream = ReadonlyMap<StreamId, AudienceCounts>;

/** The numbers are made at most once in this time. */
const ageMs = 1000;
/** A school is one network. */
const tapsOfNetwork = { burst: 400, perSecond: 200, most: 50_000 } as const;

/** Counts a reaction. @throws TangazaError `OVERLOADED`, `UNAVAILABLE` */
export type React = (network: string, stream: StreamId, reaction: ReactBody) => void;

/**
 * A reaction wants no token: it has no text, nobody is named by it, and who was banned could do it without one. What bounds it is the
 * network's bucket, and over a socket the socket's, too.
 */
export function reacting({
  audience,
  clock,
  metrics,
}: Pick<AudienceNumbersPorts, 'audience' | 'clock' | 'metrics'>): React {
  const taps = new Buckets(tapsOfNetwork);
  const refused = metrics.counter({
    name: 'tangaza_reactions_refused_total',
    help: 'Reactions that were over the bound of their network.',
  });
  return (network, stream, reaction) => {
    const reactions = mustHave(audience);
    const waitMs = taps.take(network, clock.monotonicMs());
    if (waitMs === 0) return reactions.react(stream, reaction);
    refused.add(1);
    const data = { retryAfterSeconds: Math.ceil(waitMs / 1000) };
    throw new TangazaError('OVERLOADED', 'Too many reactions come from your network: wait a moment.', {
      data,
    });
  };
}

/** Fills in what this edge counts. @returns the routes */
export function audienceNumbers(ports: AudienceNumbersPorts): readonly LocalRoute[] {
  const { audience, knownStreams, clock, react } = ports;
  const ownCounts = kept(ports);
  audience.ownCounts = ownCounts;
  audience.players = ports.players;
  measure(ports, ownCounts);
  return [
    defineRoute(withoutQuery(reactionRoutes.react), async (request, { params: { id }, body, caller }) => {
      mustBeKnown(id, await knownStreams.standingOrLast(request, id));
      react(caller?.network ?? '', id, ReactBody.parse(body));
      return emptyReply(202, { 'cache-control': 'no-store' });
    }),
    defineRoute(withoutQuery(reactionRoutes.audience), async (request, { params: { id } }) => {
      mustBeKnown(id, await knownStreams.standingOrLast(request, id));
      const counts = mustHave(audience).countsOf(id);
      return jsonReply(200, { ...counts, asOf: new Date(clock.utcMs()).toISOString() });
    }),
  ];
}

function measure({ metrics, players }: AudienceNumbersPorts, ownCounts: () => CountsByStream): void {
  for (const { name, which, help } of gauges)
    metrics.family({ name, help, kind: 'gauge', labels: ['stream'] }, () =>
      [...ownCounts()].map(([stream, counts]) => ({ labels: { stream }, value: counts[which] })),
    );
  metrics.family(
    {
      name: 'tangaza_player_sessions',
      help: 'Sessions of players at this edge, of all streams; over their bound there are `refused` ones, which are not counted.',
      kind: 'gauge',
      labels: ['what'],
    },
    () => [
      { labels: { what: 'kept' }, value: players.size },
      { labels: { what: 'refused' }, value: players.refused },
    ],
  );
}

const gauges = [
  {
    which: 'players',
    name: 'tangaza_stream_players',
    help: 'Players of a stream that ask this edge for steering.',
  },
  { which: 'sockets', name: 'tangaza_stream_sockets', help: 'Open live sockets of a stream at this edge.' },
  {
    which: 'users',
    name: 'tangaza_stream_users',
    help: 'Guests and accounts that have a live socket of a stream at this edge.',
  },
  {
    which: 'suspectedRobots',
    name: 'tangaza_stream_suspected_robots',
    help: 'What asks this edge for steering of a stream as no player does.',
  },
] as const;

/** How many are in a stream's audience, as a page shows it. */
export function viewersNow({ reactions }: AudiencePorts, stream: StreamId, here: number): number {
  return Math.max(here, reactions === undefined ? 0 : viewersOf(reactions.countsOf(stream)));
}

/** @throws TangazaError `UNAVAILABLE` */
function mustHave({ reactions }: AudiencePorts) {
  if (reactions === undefined) throw new TangazaError('UNAVAILABLE', 'This node has no audience.');
  return reactions;
}

function kept({ clock, sockets, players, isOver }: AudienceNumbersPorts): () => CountsByStream {
  let made = { atMs: -Infinity, counts: new Map<StreamId, AudienceCounts>() };
  return () => {
    const nowMs = clock.monotonicMs();
    if (nowMs - made.atMs < ageMs) return made.counts;
    const counts = new Map<StreamId, AudienceCounts>();
    for (const [stream, one] of sockets()) counts.set(stream, { ...nobody, ...one });
    for (const [stream, one] of players.counts())
      counts.set(stream, { ...(counts.get(stream) ?? nobody), ...one });
    for (const stream of counts.keys()) if (isOver(stream)) counts.delete(stream);
    made = { atMs: nowMs, counts };
    return counts;
  };
}
