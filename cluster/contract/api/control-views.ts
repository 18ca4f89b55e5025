/** Streams and the cluster as the control API shows them, and the bodies of its requests. */
import { allStreams } from './moderation-views.ts';
import { z } from 'zod';
import { NodeId, RegionId, StreamId } from '../../model/ids.ts';
import { mustBe } from '../../errors/input-sentences.ts';
import { Staleness } from '../staleness.ts';
import { RegionReport } from '../regions/report.ts';

const title = z.string().trim().min(1).max(200).meta({ description: 'What viewers read.' });

const ladder = z
  .string()
  .regex(/^[a-z0-9-]{1,64}$/, mustBe('1 to 64 lower-case letters, digits and -'))
  .meta({ description: 'A file under config/ladders/.' });

export const CreateStreamBody = z
  .strictObject({
    title,
    id: StreamId.refine(
      (id) => id !== allStreams,
      `must be another one: ${allStreams} stands for all streams`,
    )
      .optional()
      .meta({ description: 'Chosen by the server when absent.' }),
    ladder: ladder.optional(),
  })
  .meta({ id: 'CreateStream' });
export type CreateStreamBody = z.infer<typeof CreateStreamBody>;

export const UpdateStreamBody = z
  .strictObject({ title: title.optional(), ladder: ladder.optional() })
  .refine((body) => Object.keys(body).length > 0, 'must name something to change: title or ladder')
  .meta({ id: 'UpdateStream' });
export type UpdateStreamBody = z.infer<typeof UpdateStreamBody>;

const IngestPoint = z
  .object({ region: RegionId, url: z.string(), role: z.enum(['primary', 'backup']) })
  .meta({ id: 'IngestPoint' });

const Playback = z.object({ dash: z.url(), hls: z.url(), page: z.url() }).meta({ id: 'Playback' });

export const StreamView = z
  .object({
    id: StreamId,
    title: z.string(),
    ladder: z.string(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
    ingest: z.array(IngestPoint),
    playback: Playback,
  })
  .meta({ id: 'Stream' });
export type StreamView = z.infer<typeof StreamView>;

/** The key is shown once, in the reply to the request that made it. */
export const StreamWithKey = StreamView.extend({ streamKey: z.string() }).meta({ id: 'StreamWithKey' });
export type StreamWithKey = z.infer<typeof StreamWithKey>;

export const StreamPage = z
  .object({ items: z.array(StreamView), nextCursor: z.string().optional() })
  .meta({ id: 'StreamPage' });
export type StreamPage = z.infer<typeof StreamPage>;

/** What nothing newer is known of, as the region that broadcasts it cannot be reached. */
export const Unheard = z
  .object({
    region: RegionId,
    since: z.iso.datetime().meta({ description: 'The moment from which nothing is heard.' }),
  })
  .meta({ id: 'Unheard' });
export type Unheard = z.infer<typeof Unheard>;

export const LiveStreams = z
  .object({
    items: z.array(
      z.object({
        id: StreamId,
        title: z.string(),
        state: z.string(),
        since: z.string().optional(),
        page: z.string(),
        region: RegionId.optional().meta({
          description: 'The region that broadcasts it; absent where there is one region.',
        }),
        unheard: Unheard.optional().meta({
          description: 'Set while that region cannot be reached: the stream is shown as it was then.',
        }),
        viewers: z.number().int().nonnegative().optional().meta({
          description: 'How many watch it in all regions that are heard; absent where nobody counts.',
        }),
      }),
    ),
    /** Set while NATS does not answer: streams of other nodes are then shown as they were last seen. */
    stale: Staleness.optional(),
  })
  .meta({ id: 'LiveStreams' });
export type LiveStreams = z.infer<typeof LiveStreams>;

export const ClusterView = z
  .object({
    regions: z.array(z.object({ id: RegionId, nodes: z.number().int(), alive: z.number().int() })),
    nodes: z.array(
      z.object({
        id: NodeId,
        region: RegionId,
        host: z.string(),
        pid: z.number().int(),
        bootId: z.string(),
        state: z.enum(['alive', 'draining', 'dead']),
        // A node of an earlier version does not send the fields that have a default here.
        isSuspected: z.boolean().default(false).meta({
          description:
            'A monitor cannot reach it; it is declared dead soon, unless it answers or the brake on mass deaths holds.',
        }),
        roles: z.array(z.string()),
        load: z.object({
          streams: z
            .number()
            .int()
            .meta({ description: 'Streams that are owned, also those that are off air.' }),
          onAir: z.number().int().optional().meta({
            description:
              'Owned streams with a publisher, or with segments under way; absent when the node does not tell.',
          }),
          connections: z.number().int().optional().meta({
            description: 'Open connections of viewers at its edge; absent when the node does not tell.',
          }),
        }),
        http: z.string(),
        rtmp: z.string(),
      }),
    ),
    placements: z.array(
      z.object({
        streamId: StreamId,
        owner: NodeId,
        region: RegionId,
        epoch: z.number().int(),
        since: z.string(),
        reason: z.string(),
      }),
    ),
    asOf: z.iso.datetime(),
    /** Set while NATS does not answer: the whole reply is then what the asked node last knew. */
    stale: Staleness.optional(),
  })
  .meta({ id: 'Cluster' });
export type ClusterView = z.infer<typeof ClusterView>;

export const RegionsView = z
  .object({
    topologyVersion: z.number().int().nonnegative().meta({
      description: 'Of the file of the regions that the asked node has; 0 for a deployment without one.',
    }),
    regions: z.array(
      z.object({
        id: RegionId,
        ordinal: z.number().int(),
        isOwn: z.boolean().meta({ description: 'The region of the node that answers.' }),
        isReached: z.boolean().meta({
          description:
            'False for a region that is cut off, or that does not answer in time: it is then shown as it was last known.',
        }),
        ageSeconds: z.number().nonnegative().optional().meta({
          description:
            'How old the numbers are; absent where they are those of now, or where none have come yet.',
        }),
        ...RegionReport.partial({ nodes: true, alive: true, onAir: true, connections: true }).shape,
      }),
    ),
  })
  .meta({ id: 'Regions' });
export type RegionsView = z.infer<typeof RegionsView>;

export const DrainBody = z
  .strictObject({
    force: z.boolean().optional().meta({ description: 'Also when no other node could own its streams.' }),
  })
  .meta({ id: 'Drain' });
export type DrainBody = z.infer<typeof DrainBody>;

export const DrainView = z
  .object({ node: NodeId, state: z.literal('draining'), withinSeconds: z.number() })
  .meta({ id: 'Draining' });
export type DrainView = z.infer<typeof DrainView>;

export const ReleaseView = z
  .object({
    released: z
      .array(NodeId)
      .meta({ description: 'The suspected nodes. Each is declared dead now, unless it answers.' }),
  })
  .meta({ id: 'Released' });
export type ReleaseView = z.infer<typeof ReleaseView>;
