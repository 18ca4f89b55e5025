/** A real edge whose audience is a feed in memory, and whose comments actor a test answers for. */
import type { RouteInput } from '../../../cluster/contract/api/routes.ts';
import { commentActions } from '../../../cluster/contract/audience/comment-actions.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import type { SocketLimits } from '../../../actors/edge-delivery/socket/admission.ts';
import { startTestEdge, type EdgeSettings, type TestEdge } from '../ports/test-edge.ts';
import { MemoryAudienceFeed } from './memory-audience-feed.ts';
import { ada, clientIdOf, commentOf } from './said.ts';

export interface AudienceEdge extends TestEdge {
  readonly feed: MemoryAudienceFeed;
  /** Comments that were posted, in order, each as the action got it. */
  readonly posted: readonly RouteInput[];
  /** Lets so much time pass for its sockets. */
  pass(ms: number): void;
}

export const adasToken = 'token-of-ada';

/** @param answers stands in for actions of the comments actor */
export async function startAudienceEdge(
  given: Partial<EdgeSettings> & {
    readonly limits?: Partial<SocketLimits>;
    /** Open at once; by default as many as the product takes. */
    readonly connections?: number;
    readonly answers?: Readonly<Record<string, (input: RouteInput) => unknown>>;
  } = {},
): Promise<AudienceEdge> {
  const { limits = {}, answers = {}, connections, ...settings } = given;
  const feed = new MemoryAudienceFeed();
  const posted: RouteInput[] = [];
  let passedMs = 0;
  const clock: Clock = { ...systemClock, runningMs: () => systemClock.runningMs() + passedMs };
  const comments: Readonly<Record<string, (input: RouteInput) => unknown>> = {
    [commentActions.identify]: ({ caller }) => {
      if (caller?.bearer !== adasToken) throw new TangazaError('UNAUTHENTICATED', 'That token is none.');
      return ada;
    },
    [commentActions.post]: (input) => {
      posted.push(input);
      const own = { ...commentOf(posted.length), clientId: Reflect.get(Object(input.body), 'clientId') };
      return { ...own, receipt: `receipt ${posted.length}` };
    },
    ...answers,
  };
  const call = async (action: string, input: RouteInput): Promise<unknown> => comments[action]?.(input);
  const ofHttp = connections === undefined ? {} : { connections };
  const edge = await startTestEdge(
    { clock, call, audience: { feed }, ...settings },
    ofHttp,
    undefined,
    limits,
  );
  return Object.assign(edge, { feed, posted, pass: (ms: number) => void (passedMs += ms) });
}

/** What a page sends to post its n-th comment. */
export const commentMessage = (number: number, text = `comment ${number}`) => ({
  type: 'comment',
  clientId: clientIdOf(number),
  text,
});
