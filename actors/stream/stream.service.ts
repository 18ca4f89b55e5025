/**
 * Shell of the stream actor: checks each call's parameters, passes the call to the actor, and returns its answer (C2).
 */
import type { ServiceSchema } from 'moleculer';
import { z } from 'zod';
import {
  AdoptParams,
  AttachParams,
  DetachCall,
  InputCall,
  OfferParams,
  OpenPeriodParams,
  ReportParams,
  StandsStillParams,
} from '../../cluster/contract/stream-actions.ts';
import type { LocalOwners } from '../../cluster/contract/hand-over.ts';
import { actionsInTime, type CheckDeadline } from '../../cluster/membership/deadlines.ts';
import type { MemberDirectory } from '../../cluster/membership/member-directory.ts';
import { StreamId } from '../../cluster/model/ids.ts';
import { abortAfter } from '../../cluster/time/clock.ts';
import { watchFreezes } from '../../cluster/time/freeze.ts';
import { StreamActor, type StreamOptions } from './stream-actor.ts';

const HealthParams = z.object({ streamId: StreamId });

export interface StreamServiceOptions extends StreamOptions {
  readonly members: Pick<MemberDirectory, 'onGone' | 'onDeclaredDead'>;
  readonly checkDeadline: CheckDeadline;
  /** Told what a drain of this node asks. */
  readonly onMade?: (owners: LocalOwners) => void;
  /** Ends what the actor hears of other regions. */
  readonly onStopped?: () => void;
}

export function streamService({
  members,
  checkDeadline,
  onMade,
  onStopped = () => {},
  ...options
}: StreamServiceOptions): ServiceSchema {
  const actor = new StreamActor(options);
  onMade?.({
    handOver: async (withinMs) => {
      using late = abortAfter(options.clock, withinMs);
      return await actor.handOverAll(late.signal);
    },
    sessionsGone: (withinMs) => actor.sessionsGone(withinMs),
  });
  const stops = [
    members.onGone(({ node }) => actor.onNodeGone(node)),
    members.onDeclaredDead(() => void actor.onDeclaredDead()),
    watchFreezes(options.clock, (frozenMs) => actor.onThaw(frozenMs)),
  ];
  const { action } = actionsInTime(checkDeadline);
  return {
    name: 'stream',
    actions: {
      attach: action(AttachParams, (params) => actor.attach(params)),
      openPeriod: action(OpenPeriodParams, (params) => actor.openPeriod(params)),
      offer: action(OfferParams, (params) => actor.offer(params)),
      input: action(InputCall, (params) => actor.input(params)),
      detach: action(DetachCall, (params) => actor.detach(params)),
      report: action(ReportParams, ({ report }) => actor.report(report)),
      adopt: action(AdoptParams, (params) => actor.adopt(params)),
      standsStill: action(StandsStillParams, ({ streamId }) => actor.standsStill(streamId)),
      health: action(HealthParams, ({ streamId }) => actor.health(streamId)),
      onAir: action(z.unknown(), () => actor.onAir()),
    },
    started: () => actor.start(),
    stopped: () => {
      for (const stop of [...stops, onStopped]) stop();
      return actor.stop();
    },
  };
}
