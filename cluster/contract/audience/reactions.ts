/** Reactions, and how many are in the audience: what the actors of one node tell each other of them, in one process. */
import { z } from 'zod';
import type { StreamId } from '../../model/ids.ts';

export const ReactionKind = z
  .enum(['heart', 'clap', 'laugh', 'wow', 'sad', 'fire'])
  .meta({ id: 'ReactionKind' });
export type ReactionKind = z.infer<typeof ReactionKind>;

/** How many of each kind; a kind without any is absent. */
export const ReactionCounts = z
  .partialRecord(ReactionKind, z.number().int().positive())
  .meta({ id: 'ReactionCounts' });
export type ReactionCounts = z.infer<typeof ReactionCounts>;

/** The most seconds of media that one window tells apart; what is given at further ones is told without. */
export const mostSeconds = 64;

/** What was given in a window. */
export const ReactionSums = z.object({
  counts: ReactionCounts,
  bySecond: z
    .record(z.string().regex(/^\d{1,10}$/), ReactionCounts)
    .optional()
    .meta({
      description:
        'Of these, those whose senders said where they were in the stream: by the second of media, so that a page can show them when its own viewer is there.',
    }),
});
export type ReactionSums = z.infer<typeof ReactionSums>;

export const ReactBody = z
  .strictObject({
    kind: ReactionKind,
    mediaTime: z.number().nonnegative().max(1e9).optional().meta({
      description: 'Where its sender is in the stream, in seconds.',
    }),
  })
  .meta({ id: 'React' });
export type ReactBody = z.infer<typeof ReactBody>;

/** How many of a stream's audience are where; of all regions that are heard of. */
export interface AudienceCounts {
  readonly players: number;
  readonly sockets: number;
  readonly users: number;
  /** They are not among the players. */
  readonly suspectedRobots: number;
}
export const nobody: AudienceCounts = { players: 0, sockets: 0, users: 0, suspectedRobots: 0 };

export const AudienceView = z
  .object({
    players: z.number().int().nonnegative().meta({
      description:
        'Players that ask for steering, each from its second request on, some 10 s after its first. Players that do not steer are not counted.',
    }),
    sockets: z.number().int().nonnegative().meta({ description: 'Open live sockets.' }),
    users: z
      .number()
      .int()
      .nonnegative()
      .meta({ description: 'Guests and accounts that have a live socket.' }),
    suspectedRobots: z.number().int().nonnegative().meta({
      description:
        'What asks for steering as no player does, and is not among the players: too often, without a place that it plays from, or as one of more than 1,000 of a network. It is a hint.',
    }),
    asOf: z.iso.datetime(),
  })
  .meta({ id: 'Audience' });
export type AudienceView = z.infer<typeof AudienceView>;

/** A viewer of a stream counts once, whether by what it plays or by its socket. */
export const viewersOf = ({ players, sockets }: AudienceCounts): number => Math.max(players, sockets);

export interface ReactionListener {
  reactions(sums: ReactionSums, windowMs: number): void;
  viewers(count: number): void;
}

/** The reactions actor as the edge of its node sees it. */
export interface Reactions {
  /** Counts one reaction. It costs no more than an addition. */
  react(stream: StreamId, reaction: ReactBody): void;
  /** Tells the sums of the region, and the number of viewers as it changes. @returns a function that ends it */
  follow(stream: StreamId, listener: ReactionListener): () => void;
  /** Of the region, as far as this node has heard. */
  countsOf(stream: StreamId): AudienceCounts;
}

/** Keeps how many reactions this node has counted in a minute so far. It may be repeated with higher counts. */
export type KeepReactions = (
  stream: StreamId,
  source: string,
  minute: { readonly minuteMs: number; readonly counts: Readonly<Record<string, number>> },
) => Promise<void>;
