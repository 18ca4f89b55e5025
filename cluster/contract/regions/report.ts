/** What a region tells an operator in another one of itself: its nodes, what is on air there, and how it reaches the others. */
import { z } from 'zod';
import { NodeId, RegionId } from '../../model/ids.ts';
import type { RegionCall } from './crossing.ts';

const count = z.number().int().nonnegative();

/** The link of the region that reports to another one: its calls, and what it hears of it. */
export const ReportedLink = z.object({
  to: RegionId,
  isUp: z.boolean(),
  forSeconds: z.number().nonnegative().meta({ description: 'For how long it has been up, or down.' }),
  roundTripMs: z.number().nonnegative().optional(),
  clockOffsetMs: z
    .number()
    .optional()
    .meta({ description: 'The wall clock of that region minus this one, as its gateway measured it.' }),
  gateways: z.array(NodeId).max(64).meta({ description: 'The nodes whose client to that region works.' }),
  bytesIn: count,
  bytesOut: count.meta({ description: 'What those clients have carried since they were opened.' }),
  mediaBytesIn: count.optional().meta({
    description:
      "Bytes of media that the region's edges got from that region since they started; an edge that is silent is left out.",
  }),
});
export type ReportedLink = z.infer<typeof ReportedLink>;

export const RegionReport = z.object({
  nodes: count,
  alive: count,
  onAir: count.meta({ description: 'Streams that are on air there, and published there.' }),
  connections: count.meta({ description: "Open connections of viewers at the region's edges." }),
  links: z.array(ReportedLink).max(64),
});
export type RegionReport = z.infer<typeof RegionReport>;

const NoParams = z.object({});

/** Asked when an operator looks. */
export const regionReport: RegionCall<z.infer<typeof NoParams>, RegionReport> = {
  name: 'report',
  params: NoParams,
  result: RegionReport,
  maxBytes: 50,
  maxResultBytes: 32_000,
  perSecond: 20,
};
