/** The member port: which nodes there are and which have been heard of lately. A hint for routing, never for ownership. */
import { z } from 'zod';
import { BootId, NodeId, RegionId } from '../model/ids.ts';

export const Member = z.object({
  id: NodeId,
  region: RegionId,
  host: z.string(),
  pid: z.number().int(),
  bootId: BootId,
  roles: z.array(z.string()),
  /** Base URL for viewers, without a trailing slash. */
  httpUrl: z.string(),
  /** `rtmp://HOST:PORT/live`. */
  rtmpUrl: z.string(),
  startedAt: z.iso.datetime(),
});
export type Member = z.infer<typeof Member>;

export interface MemberDirectory {
  /**
   * All members, in order of id. `revision` changes exactly when a member's record does, and is equal on every node
   * that has seen the same records (M14).
   */
  list(): {
    readonly revision: number;
    readonly members: readonly (Member & { readonly isAlive: boolean })[];
  };
  /** Has this boot of the node been heard of within the last beats? */
  isAlive(node: NodeId, bootId: BootId): boolean;
  close(): Promise<void>;
}
