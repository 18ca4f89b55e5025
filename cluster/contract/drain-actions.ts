/** Actions of the drain actor: one node gives everything away and leaves. */
import { z } from 'zod';

/** Both are called on the node that is to leave. */
export const drainActions = { begin: 'drain.begin', leaveNow: 'drain.leaveNow' } as const;

/** Sent within a node that begins to stop, before any stream moves: whatever takes long to end may begin to end now. */
export const leavingEvent = 'node.leaving';

export const BeginDrainParams = z.object({ isForced: z.boolean() });
export type BeginDrainParams = z.infer<typeof BeginDrainParams>;
