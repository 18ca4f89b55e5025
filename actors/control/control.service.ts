/** Shell of the control actor: streams, their keys, their health, and the cluster at a glance. */
import type { Context, ServiceSchema } from 'moleculer';
import {
  AuthenticateParams,
  type AuthenticateReply,
  type ClusterView,
  type CreateStreamBody,
  type DrainBody,
  type DrainView,
  type LiveStreams,
  type StreamPage,
  type StreamView,
  type StreamWithKey,
  type UpdateStreamBody,
} from '../../cluster/contract/streams.ts';
import type { RouteInput } from '../../cluster/contract/routes.ts';
import type { NodeParams, PageQuery, StreamParams } from '../../cluster/contract/routes-streams.ts';
import type { StreamHealth } from '../../cluster/contract/stream.ts';
import { Control, type ControlPorts } from './control.ts';

type Input<Q = unknown, B = unknown> = Context<RouteInput<StreamParams, Q, B>>;

/** Works beside the actions for as long as the service runs. */
interface Background {
  start(): void;
  stop(): void;
}

export function controlService(ports: ControlPorts, sweeper?: Background): ServiceSchema {
  const control = new Control(ports);
  return {
    name: 'control',
    actions: {
      create: (ctx: Context<RouteInput<unknown, unknown, CreateStreamBody>>): StreamWithKey =>
        control.create(ctx.params),
      list: (ctx: Context<RouteInput<unknown, PageQuery>>): StreamPage => control.list(ctx.params),
      get: (ctx: Input): StreamView => control.show(ctx.params),
      update: (ctx: Input<unknown, UpdateStreamBody>): StreamView => control.update(ctx.params),
      remove: (ctx: Input): Promise<void> => control.remove(ctx.params),
      rotateKey: (ctx: Input): Promise<StreamWithKey> => control.rotateKey(ctx.params),
      authenticate: (ctx: Context<AuthenticateParams>): AuthenticateReply =>
        control.authenticate(AuthenticateParams.parse(ctx.params)),
      health: (ctx: Input): Promise<StreamHealth> => control.health(ctx.params.params.id),
      live: (): Promise<LiveStreams> => control.live(),
      cluster: (): Promise<ClusterView> => control.cluster(),
      drain: (ctx: Context<RouteInput<NodeParams, unknown, DrainBody>>): Promise<DrainView> =>
        control.drain(ctx.params),
    },
    started: () => sweeper?.start(),
    stopped: () => sweeper?.stop(),
  };
}
