/** Shell of the drain actor: takes one node out of the cluster when an operator asks for it or its process ends. */
import type { ServiceSchema } from 'moleculer';
import { z } from 'zod';
import { BeginDrainParams } from '../../cluster/contract/drain-actions.ts';
import { actionsInTime, type CheckDeadline } from '../../cluster/membership/deadlines.ts';
import { Drain, type DrainPorts } from './drain.ts';

const LeaveParams = z.object({ handOverMs: z.number().positive() });

export interface DrainServicePorts extends DrainPorts {
  readonly checkDeadline: CheckDeadline;
}

export function drainService({ checkDeadline, ...ports }: DrainServicePorts): ServiceSchema {
  const drain = new Drain(ports);
  const { action } = actionsInTime(checkDeadline);
  return {
    name: 'drain',
    actions: {
      begin: action(BeginDrainParams, (params) => drain.begin(params)),
      leaveNow: action(LeaveParams, ({ handOverMs }) => drain.leaveNow(handOverMs)),
    },
  };
}
