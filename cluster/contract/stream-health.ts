/** The health of a stream: its state, its input, its sessions, and how far each rendition is behind. */
import { z } from 'zod';
import { BootId, Epoch, NodeId, RegionId, RenditionName, SessionId, StreamId } from '../model/ids.ts';
import { Staleness } from './staleness.ts';

/** What a session reports while it runs. Health shows it, and warnings are made of it (M11). */
export const InputReport = z.object({
  streamId: StreamId,
  sessionId: SessionId,
  videoCodec: z.string().optional(),
  audioCodec: z.string().optional(),
  width: z.number().optional(),
  height: z.number().optional(),
  fps: z.number().optional(),
  bitrateBps: z.number(),
  keyframeIntervalSeconds: z.number().optional(),
  lastPacketAgeMs: z.number(),
  warnings: z.array(z.string()).max(16),
  fault: z.string().optional().meta({
    description:
      'The newest warning that means harm. Faults that are mended or expected do not make a stream degraded.',
  }),
});
export type InputReport = z.infer<typeof InputReport>;

/** Durations are in ms, times in RFC 3339. */
export const StreamHealth = z.object({
  /** `unknown`: the owner cannot be asked, as NATS does not answer. */
  state: z.enum(['offline', 'starting', 'live', 'degraded', 'refused', 'unknown']),
  owner: NodeId.optional(),
  region: RegionId.optional(),
  epoch: Epoch.optional(),
  bootId: BootId.optional(),
  since: z.string().optional(),
  reason: z.string(),
  /** Why that node owns the stream: `first publish`, `owner died (node-1)`, … */
  ownedBecause: z.string().optional(),
  successors: z.array(NodeId),
  asOf: z.string(),
  /** Set while NATS does not answer: the owner and its successors are as they were last known then. The rest is as of `asOf`. */
  stale: Staleness.optional(),
  input: InputReport.omit({ streamId: true }).partial().optional(),
  /**
   * The connected publishers. An `active` one feeds the stream, and two active ones are twins. A `candidate` is being compared with them.
   */
  sessions: z
    .array(
      z.object({
        sessionId: SessionId,
        node: NodeId,
        role: z.enum(['active', 'candidate', 'superseded']),
        // An owner of an earlier version does not send the fields that have a default here.
        remoteAddress: z.string().default(''),
        encoder: z.string().optional(),
        bitrateBps: z.number().optional(),
        lastPacketAgeMs: z.number().default(0),
        warnings: z.array(z.string()).default([]),
      }),
    )
    .optional(),
  renditions: z.array(
    z.object({
      name: RenditionName,
      lagMs: z.number(),
      gaps: z
        .number()
        .int()
        .meta({ description: 'Segments that lack it, of those that manifests reach in this period.' }),
      recentGaps: z
        .number()
        .int()
        .default(0)
        .meta({ description: 'Segments that lack it, of the last 10 minutes, whatever the period.' }),
    }),
  ),
});
export type StreamHealth = z.infer<typeof StreamHealth>;
