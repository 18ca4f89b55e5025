/** Actions of the control actor: the registry of streams, and who may publish. */
import { z } from 'zod';
import type { StreamId } from '../model/ids.ts';

export const controlActions = {
  create: 'control.create',
  list: 'control.list',
  get: 'control.get',
  update: 'control.update',
  remove: 'control.remove',
  rotateKey: 'control.rotateKey',
  authenticate: 'control.authenticate',
  health: 'control.health',
  live: 'control.live',
  cluster: 'control.cluster',
  regions: 'control.regions',
  drain: 'control.drain',
  release: 'control.release',
} as const;

/** An ingest asks this about each publisher, before it creates anything for it. */
export const AuthenticateParams = z.object({ streamKey: z.string().min(1).max(200) });
export type AuthenticateParams = z.infer<typeof AuthenticateParams>;

export interface AuthenticateReply {
  readonly streamId: StreamId;
  readonly ladder: string;
}
