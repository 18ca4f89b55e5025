/** Shell of the control actor: streams, their keys and health, and an overview of the cluster. */
import type { ServiceSchema } from 'moleculer';
import { AuthenticateParams } from '../../cluster/contract/control-actions.ts';
import {
  type CreateStreamBody,
  type DrainBody,
  type UpdateStreamBody,
} from '../../cluster/contract/api/control-views.ts';
import type { RouteInput } from '../../cluster/contract/api/routes.ts';
import type { NodeParams, PageQuery, StreamParams } from '../../cluster/contract/api/control-routes.ts';
import { actionsInTime, type CheckDeadline } from '../../cluster/membership/deadlines.ts';
import { Control, type ControlPorts } from './control.ts';

type Input<Q = unknown, B = unknown> = RouteInput<StreamParams, Q, B>;

/** Work that runs beside the actions for as long as the service runs. */
interface Background {
  start(): void;
  stop(): void;
}

export interface ControlServicePorts extends ControlPorts {
  readonly checkDeadline: CheckDeadline;
}

export function controlService(
  { checkDeadline, ...ports }: ControlServicePorts,
  sweeper?: Background,
): ServiceSchema {
  const control = new Control(ports);
  const { action, inTime } = actionsInTime(checkDeadline);
  return {
    name: 'control',
    actions: {
      create: inTime((input: RouteInput<unknown, unknown, CreateStreamBody>) => control.create(input)),
      list: inTime((input: RouteInput<unknown, PageQuery>) => control.list(input)),
      get: inTime((input: Input) => control.show(input)),
      update: inTime((input: Input<unknown, UpdateStreamBody>) => control.update(input)),
      remove: inTime((input: Input) => control.remove(input)),
      rotateKey: inTime((input: Input) => control.rotateKey(input)),
      authenticate: action(AuthenticateParams, (params) => control.authenticate(params)),
      health: inTime((input: Input) => control.health(input.params.id)),
      live: inTime(() => control.live()),
      cluster: inTime(() => control.cluster()),
      drain: inTime((input: RouteInput<NodeParams, unknown, DrainBody>) => control.drain(input)),
      release: inTime((input: RouteInput) => control.release(input)),
    },
    started: () => sweeper?.start(),
    stopped: () => sweeper?.stop(),
  };
}
