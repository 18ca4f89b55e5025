/** Shell of the stream actor: checks what comes, hands it to the stream's activation, answers (C2). */
import type { Context, ServiceSchema } from 'moleculer';
import { z } from 'zod';
import {
  AdoptParams,
  AttachParams,
  DetachParams,
  InputReport,
  OfferParams,
  OpenPeriodParams,
  ReportParams,
} from '../../cluster/contract/stream.ts';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import type { MemberDirectory } from '../../cluster/membership/member-directory.ts';
import { StreamId } from '../../cluster/model/ids.ts';
import { StreamActor, type StreamOptions } from './stream-actor.ts';

const HealthParams = z.object({ streamId: StreamId });
const HandOverParams = z.object({ withinMs: z.number().positive() });

export interface StreamServiceOptions extends StreamOptions {
  readonly members: Pick<MemberDirectory, 'onGone' | 'onDeclaredDead'>;
}

export function streamService({ members, ...options }: StreamServiceOptions): ServiceSchema {
  const actor = new StreamActor(options);
  const stops = [
    members.onGone(({ node }) => actor.onNodeGone(node)),
    members.onDeclaredDead(() => void actor.onDeclaredDead()),
  ];
  return {
    name: 'stream',
    actions: {
      attach: (ctx: Context) => actor.attach(checked(AttachParams, ctx.params)),
      openPeriod: (ctx: Context) => actor.openPeriod(checked(OpenPeriodParams, ctx.params)),
      offer: (ctx: Context) => actor.offer(checked(OfferParams, ctx.params)),
      input: (ctx: Context) => actor.input(checked(InputReport, ctx.params)),
      detach: (ctx: Context) => actor.detach(checked(DetachParams, ctx.params)),
      report: (ctx: Context) => actor.report(checked(ReportParams, ctx.params).report),
      adopt: (ctx: Context) => actor.adopt(checked(AdoptParams, ctx.params)),
      /** Of this node alone, for its drain: answers with the streams that are left here. */
      handOverAll: (ctx: Context) =>
        actor.handOverAll(AbortSignal.timeout(checked(HandOverParams, ctx.params).withinMs)),
      health: (ctx: Context) => actor.health(checked(HealthParams, ctx.params).streamId),
    },
    started: () => actor.start(),
    stopped: () => {
      for (const stop of stops) stop();
      return actor.stop();
    },
  };
}

/** @throws TangazaError `BAD_REQUEST` that names every fault */
function checked<S extends z.ZodType>(schema: S, params: unknown): z.infer<S> {
  const parsed = schema.safeParse(params);
  if (parsed.success) return parsed.data;
  throw new TangazaError('BAD_REQUEST', z.prettifyError(parsed.error));
}
