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
import { Once } from './once.ts';
import { HealthAtHome, type HealthAtHomePorts } from './regions/health-at-home.ts';
import { RegionReports, type RegionReportPorts } from './regions/region-reports.ts';

type Input<Q = unknown, B = unknown> = RouteInput<StreamParams, Q, B>;

/** Work that runs beside the actions for as long as the service runs. */
interface Background {
  start(): void;
  stop(): void;
}

export interface ControlServicePorts
  extends ControlPorts, Omit<RegionReportPorts & HealthAtHomePorts, 'cluster' | 'clock' | 'healthHere'> {
  readonly checkDeadline: CheckDeadline;
}

export function controlService(
  { checkDeadline, ...ports }: ControlServicePorts,
  background: readonly Background[] = [],
): ServiceSchema {
  const control = new Control(ports);
  const healths = new HealthAtHome({ ...ports, healthHere: (id) => control.health(id) });
  const reports = new RegionReports({ ...ports, cluster: () => control.cluster() });
  const across = [reports, healths, ...background];
  const { action, inTime } = actionsInTime(checkDeadline);
  const done = new Once(ports);
  const once = <I extends RouteInput>(operation: string, work: (input: I) => unknown) =>
    inTime((input: I) => done.answer(operation, input, () => work(input)));
  return {
    name: 'control',
    actions: {
      create: once('create', (input: RouteInput<unknown, unknown, CreateStreamBody>) =>
        control.create(input),
      ),
      list: inTime((input: RouteInput<unknown, PageQuery>) => control.list(input)),
      get: inTime((input: Input) => control.show(input)),
      update: once('update', (input: Input<unknown, UpdateStreamBody>) => control.update(input)),
      remove: once('remove', (input: Input) => control.remove(input)),
      rotateKey: once('rotateKey', (input: Input) => control.rotateKey(input)),
      authenticate: action(AuthenticateParams, (params) => control.authenticate(params)),
      health: inTime((input: Input) => healths.of(input.params.id)),
      live: inTime(() => control.live()),
      cluster: inTime(() => control.cluster()),
      regions: inTime(() => reports.view()),
      drain: once('drain', (input: RouteInput<NodeParams, unknown, DrainBody>) => control.drain(input)),
      release: once('release', () => control.release()),
    },
    started: () => across.forEach((one) => one.start()),
    stopped: () => across.forEach((one) => one.stop()),
  };
}
