/** Actions of the drain actor: one node gives everything away and leaves. */
import { z } from 'zod';

/** To the node that is to leave. */
export const drainActions = { begin: 'drain.begin', leaveNow: 'drain.leaveNow' } as const;

/** Within a node that begins to stop, before anything moves: what takes long may end beside the rest. */
export const leavingEvent = 'node.leaving';

export const BeginDrainParams = z.object({ isForced: z.boolean() });
export type BeginDrainParams = z.infer<typeof BeginDrainParams>;
