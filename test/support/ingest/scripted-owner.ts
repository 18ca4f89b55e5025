/** The owner of the moment, and a session's way to it. It knows its own epoch alone, and answers as the test says. */
import { OwnerClient } from '../../../actors/ingest/owner/owner-client.ts';
import type { OwnerCalls } from '../../../actors/ingest/runner-ports.ts';
import type {
  AttachParams,
  AttachReply,
  DetachCall,
  InputCall,
  OfferParams,
  OpenPeriodParams,
  OpenPeriodReply,
  StandsStillReply,
} from '../../../cluster/contract/stream-actions.ts';
import type { ErrorCode } from '../../../cluster/errors/catalogue.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { Epoch, PeriodId } from '../../../cluster/model/ids.ts';
import { silentLogger } from '../../../cluster/observe/logger.ts';
import { JumpingClock } from '../ports/jumping-clock.ts';
import { attachParams, builder } from './stream-feed.ts';

export const period = PeriodId.parse(2);
const segmentMs = 2000;
export const recent = (index: number, isTail = false) => ({ offer: builder.segment(period, index), isTail });
const indexOf = ({ start90k }: { readonly start90k: number }): number => start90k / (segmentMs * 90);

/** Takes what `refusal` says nothing against. */
export class ScriptedOwner implements Omit<OwnerCalls, 'closeSessions'> {
  epoch = 1;
  /** Where its log stands. */
  sequence = 5;
  twin: { readonly hasTwin?: boolean } = {};
  /** Who owns the stream when this node looks. */
  found: StandsStillReply = {};
  refusal: (index: number) => ErrorCode | undefined = () => undefined;
  attachRefusal: () => ErrorCode | undefined = () => undefined;
  openRefusal: () => ErrorCode | undefined = () => undefined;
  readonly attached: AttachParams[] = [];
  readonly taken: { readonly epoch: number; readonly index: number; readonly isTail: boolean }[] = [];
  /** The epochs that each period, report and farewell named. */
  readonly under: number[] = [];
  /** How often this node was asked to look. */
  looks = 0;

  async attach(params: AttachParams): Promise<AttachReply> {
    const code = this.attachRefusal();
    if (code !== undefined) throw new TangazaError(code);
    this.attached.push(params);
    return { epoch: Epoch.parse(this.epoch) };
  }

  async openPeriod({ epoch }: OpenPeriodParams): Promise<OpenPeriodReply> {
    this.under.push(epoch);
    const code = epoch === this.epoch ? this.openRefusal() : 'STALE_EPOCH';
    if (code !== undefined) throw new TangazaError(code);
    return { period, offset90k: 0 };
  }

  async offer({ epoch, offer, isTail = false }: OfferParams): Promise<unknown> {
    const index = indexOf(offer);
    const code = epoch === this.epoch ? this.refusal(index) : 'STALE_EPOCH';
    if (code !== undefined) throw new TangazaError(code);
    this.taken.push({ epoch, index, isTail });
    return { state: 'accepted' };
  }

  async input({ epoch }: InputCall): Promise<unknown> {
    this.under.push(epoch);
    return { sequence: this.sequence, feedsElsewhere: false, ...this.twin };
  }

  async detach({ epoch }: DetachCall): Promise<void> {
    this.under.push(epoch);
  }

  async standsStill(): Promise<StandsStillReply> {
    this.looks += 1;
    return this.found;
  }

  takenUnder(epoch: number): readonly number[] {
    return this.taken.filter((one) => one.epoch === epoch).map(({ index }) => index);
  }
}

/** A session that is attached to an owner of the epoch 1. */
export function scriptedScene() {
  const clock = new JumpingClock();
  const owner = new ScriptedOwner();
  const lost: { readonly index: number; readonly reason: string }[] = [];
  const takenAway: string[] = [];
  const ports = {
    clock,
    stream: owner,
    logger: silentLogger,
    lost: (offer: { readonly start90k: number }, reason: string) =>
      void lost.push({ index: indexOf(offer), reason }),
    takenAway: (code: string) => void takenAway.push(code),
  };
  const client = new OwnerClient(ports, attachParams(), Epoch.parse(1));
  return { clock, owner, client, lost, takenAway };
}
