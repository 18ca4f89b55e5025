/** Shell of the drain actor: one node's leave-taking, asked for by an operator or by the end of its process. */
import type { Context, ServiceSchema } from 'moleculer';
import { z } from 'zod';
import { BeginDrainParams } from '../../cluster/contract/streams.ts';
import { Drain, type DrainPorts } from './drain.ts';

const LeaveParams = z.object({ handOverMs: z.number().positive() });

export function drainService(ports: DrainPorts): ServiceSchema {
  const drain = new Drain(ports);
  return {
    name: 'drain',
    actions: {
      begin: (ctx: Context) => drain.begin(BeginDrainParams.parse(ctx.params)),
      leaveNow: (ctx: Context) => drain.leaveNow(LeaveParams.parse(ctx.params).handOverMs),
    },
  };
}
