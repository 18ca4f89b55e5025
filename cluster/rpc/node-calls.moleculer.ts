/**
 * Carries calls between actors over Moleculer, each to the node that must handle it.
 *
 * The broker of a node is named `{node}.{bootId}`. So a call never reaches another life of a node, and two processes with one
 * node id do not end each other, as they would under Moleculer's own naming. The member directory says which boot is alive.
 */
import { Errors, type ServiceBroker, type ServiceSchema } from 'moleculer';
import {
  EdgeHead,
  edgeActions,
  PullReply,
  type PullParams,
  type PullState,
} from '../contract/edge-actions.ts';
import { ingestActions, type CloseSessionsParams } from '../contract/ingest-actions.ts';
import {
  ReportReply,
  streamActions,
  type AdoptParams,
  type AttachParams,
  type AttachReply,
  type DetachCall,
  type InputCall,
  type OfferParams,
  type OpenPeriodParams,
  type OpenPeriodReply,
  type StandsStillParams,
  type StandsStillReply,
} from '../contract/stream-actions.ts';
import { type StreamHealth } from '../contract/stream-health.ts';
import { controlActions, type AuthenticateReply } from '../contract/control-actions.ts';
import { drainActions, type BeginDrainParams } from '../contract/drain-actions.ts';
import type { RouteInput } from '../contract/api/routes.ts';
import type { TaskReport } from '../contract/transcode-task.ts';
import { errorCodeOf, TangazaError } from '../errors/tangaza-error.ts';
import { NodeId, type BootId, type StreamId } from '../model/ids.ts';
import type { OwnershipRecord } from '../ownership/ownership-store.ts';
import type { Clock } from '../time/clock.ts';
import { isOverWithin, within } from '../time/within.ts';
import type { CallMeta } from '../membership/deadlines.ts';
import type { MemberDirectory } from '../membership/member-directory.ts';

interface CallOptions {
  readonly broker: ServiceBroker;
  readonly self: NodeId;
  readonly bootId: BootId;
  readonly members: MemberDirectory;
  readonly clock: Clock;
}

const timeoutMs = 5000;
/** An owner waits a second for NATS before it answers who is next. */
const healthTimeoutMs = 2000;
/** A successor gives all such questions together 300 ms (C7). */
const briefMs = 250;
/** A caller that wants sessions closed waits no longer than this. */
const closeWaitMs = 1000;
/** The callee may take the stream over, at another node. */
const standsStillTimeoutMs = 12_000;
/** A callee that does not know our clock measures it meanwhile (C6). One that has just started is not registered yet. */
const earlyTries = 12;
const earlyPauseMs = 100;

/**
 * Moleculer's stop waits for calls that this node makes, as for those that come in. Here the makers of calls wait for them instead, for as
 * long as their own stop allows. Otherwise new calls would be made until then, and with an owner that does not answer there would always be
 * one under way. Moleculer also keeps the context of a remote call until it is answered, so that of an unanswered call to a dead node would
 * be kept for ever.
 */
const notWaitedFor = { tracking: false } as const;

export const brokerIdOf = (node: NodeId, bootId: BootId): string => `${node}.${bootId}`;

const isLeaving = (members: MemberDirectory, node: NodeId): boolean =>
  members.list().members.some(({ id, state }) => id === node && state === 'draining');

export type NodeCalls = ReturnType<typeof nodeCalls>;
/** Makes an actor's service, once there is a broker to call others with. */
export type MakeService = (calls: NodeCalls) => ServiceSchema;

export function nodeCalls(options: CallOptions) {
  const { broker, self, members } = options;
  /** Where each stream's owner was last found; this node where nothing is known. An entry is removed with its session. */
  const owners = new Map<StreamId, NodeId>();

  const at = callAt(options);
  /**
   * Calls the owner, wherever it is. When the known node is no longer the owner, it tries once more where `NOT_OWNER` points.
   *
   * @throws TangazaError as the owner answers; `STALE_EPOCH` for an owner whose services are gone while its node leaves, which
   *   the view shows for some seconds more
   */
  const toOwner = async <R>(stream: StreamId, action: string, params: object): Promise<R> => {
    const node = owners.get(stream) ?? self;
    try {
      return await at<R>(node, action, params);
    } catch (error) {
      const owner = ownerNamedBy(error);
      if (errorCodeOf(error) === 'UNAVAILABLE' && node !== self && isLeaving(members, node)) {
        owners.delete(stream);
        throw new TangazaError('STALE_EPOCH', `${node} is leaving: attach again.`, { cause: error });
      }
      if (owner === undefined || owner === node) throw error;
      owners.set(stream, owner);
      return at<R>(owner, action, params);
    }
  };
  rejectCallsToTheDead(broker, members);
  return {
    /**
     * Forgets every owner that was last found at that node; the next call for such a stream asks this node again. @returns those streams
     */
    forgetOwner: (node: NodeId): readonly StreamId[] => {
      const streams = [...owners].filter(([, owner]) => owner === node).map(([stream]) => stream);
      for (const stream of streams) owners.delete(stream);
      return streams;
    },
    ...drainCalls(at),
    ...edgeCalls(at, options),
    adopt: (node: NodeId, params: AdoptParams) => at<AttachReply>(node, streamActions.adopt, params),
    stream: {
      attach: (params: AttachParams) => {
        owners.delete(params.streamId);
        return toOwner<AttachReply>(params.streamId, streamActions.attach, params);
      },
      openPeriod: (params: OpenPeriodParams) =>
        toOwner<OpenPeriodReply>(params.streamId, streamActions.openPeriod, params),
      offer: (params: OfferParams) => toOwner<unknown>(params.streamId, streamActions.offer, params),
      input: (params: InputCall) => toOwner<unknown>(params.streamId, streamActions.input, params),
      detach: async (params: DetachCall) => {
        await toOwner<unknown>(params.streamId, streamActions.detach, params);
        owners.delete(params.streamId);
      },
      /** Asks this node, whoever owns the stream. */
      standsStill: (params: StandsStillParams) =>
        at<StandsStillReply>(self, streamActions.standsStill, params, standsStillTimeoutMs),
      closeSessions: (node: NodeId, params: CloseSessionsParams) =>
        at<unknown>(node, ingestActions.closeSessions, params),
    },
    authenticate: async (streamKey: string): Promise<AuthenticateReply> =>
      callKnown(options, controlActions.authenticate, { streamKey }),
    /** An owner that does not answer is assumed to want the outputs still. */
    report: async (owner: NodeId, report: TaskReport): Promise<ReportReply> => {
      const reply = await at<unknown>(owner, streamActions.report, { report });
      return ReportReply.safeParse(reply).data ?? { isWanted: true };
    },
    askHealth: (record: OwnershipRecord, streamId: StreamId): Promise<StreamHealth> =>
      at<StreamHealth>(record.owner, streamActions.health, { streamId }, healthTimeoutMs),
    /** How many streams are on air at that node; `undefined` when it does not answer at once. */
    askOnAir: async (node: NodeId): Promise<number | undefined> => {
      const answer = await askBriefly(at, options.clock, node, streamActions.onAir, {});
      return typeof answer === 'number' ? answer : undefined;
    },
    closeAllSessions: (params: CloseSessionsParams): Promise<void> => closeEverywhere(at, options, params),
    /** Who calls waits no longer than it wants to: of a service of this node nothing else bounds the call. */
    callAction: (action: string, input: RouteInput): Promise<unknown> =>
      callOwn(options, action, input) ?? callKnown(options, action, input),
  };
}

/** Rejects calls in flight to a node when it is declared dead. Moleculer itself would wait for its heartbeat time-out of 4 to 60 s. */
function rejectCallsToTheDead(broker: ServiceBroker, members: MemberDirectory): void {
  members.onGone(({ node, bootId }) => broker.registry.nodes.disconnected(brokerIdOf(node, bootId), true));
}

/** True where the same call will succeed in a moment. */
const isOfUnknownClock = (error: unknown): boolean => errorCodeOf(error) === 'DEADLINE_UNKNOWN';
const isOnlyEarly = (error: unknown): boolean =>
  isOfUnknownClock(error) || (error instanceof Error && error.name === 'ServiceNotFoundError');

type Question = [node: NodeId, action: string, params: object];
type CallAt = <R>(node: NodeId, action: string, params: object, withinMs?: number) => Promise<R>;

/** Sends each call to the living boot of its node, and says until when it is wanted (C6). */
function callAt({ broker, self, bootId, members, clock }: CallOptions): CallAt {
  const brokerId = (node: NodeId): string => {
    if (node === self) return brokerIdOf(self, bootId);
    const member = members.list().members.find(({ id }) => id === node);
    if (member === undefined) throw new TangazaError('UNAVAILABLE', `The node ${node} is not known here.`);
    return brokerIdOf(member.id, member.bootId);
  };
  /** Checks first that the callee's services are known here, as Moleculer warns of each call that comes earlier. */
  const callOnce = <R>(nodeID: string, action: string, params: object, rest: object): Promise<R> =>
    broker.registry.actions.get(action)?.getEndpointByNodeID(nodeID)
      ? broker.call<R, object>(action, params, { nodeID, ...rest, ...notWaitedFor })
      : Promise.reject(new Errors.ServiceNotFoundError({ action, nodeID }));
  return async <R>(node: NodeId, action: string, params: object, withinMs = timeoutMs): Promise<R> => {
    const meta: CallMeta = { from: self, deadlineMs: clock.monotonicMs() + withinMs };
    const rest = { timeout: withinMs, meta };
    return untilKnown(clock, isOnlyEarly, () => callOnce<R>(brokerId(node), action, params, rest)).catch(
      (error: unknown) => {
        throw known(error, `${action} at ${node}`);
      },
    );
  };
}

/** Calls, and calls again while the error is an `isEarly` one. */
async function untilKnown<R>(
  clock: Clock,
  isEarly: (error: unknown) => boolean,
  call: () => Promise<R>,
): Promise<R> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (!isEarly(error) || attempt === earlyTries) throw error;
    }
    await clock.sleep(earlyPauseMs);
  }
}

/** Asks every ingest to close sessions, each within 5 s. The caller waits for at most a second, as one of them may be frozen. */
async function closeEverywhere(
  at: CallAt,
  { broker, members, clock }: CallOptions,
  params: CloseSessionsParams,
): Promise<void> {
  const ingests = members.list().members.filter(({ isAlive, roles }) => isAlive && roles.includes('ingest'));
  const told = ingests.map(({ id }) =>
    at<unknown>(id, ingestActions.closeSessions, params).catch((error: unknown) => {
      broker.logger.warn(`${id} could not be told to close sessions of ${params.streamId}`, error);
    }),
  );
  await isOverWithin(Promise.all(told), { clock, ms: closeWaitMs });
}

/** Asks one of many nodes. A node that is not there yet must not delay the answers of the others, or make them void. */
async function askBriefly(at: CallAt, clock: Clock, ...[node, action, params]: Question): Promise<unknown> {
  const answer = at<unknown>(node, action, params, briefMs).catch(() => undefined);
  return within(answer, { clock, ms: briefMs, late: () => undefined });
}

/** Asks edges what they know of a stream (C7). Edges that do not answer are left out. */
function edgeCalls(at: CallAt, { members, clock }: CallOptions) {
  return {
    askEdges: async (streamId: StreamId): Promise<readonly EdgeHead[]> => {
      const edges = members
        .list()
        .members.filter(({ state, roles }) => state !== 'dead' && roles.includes('edge-delivery'));
      const heads = await Promise.all(
        edges.map(({ id }) => askBriefly(at, clock, id, edgeActions.head, { streamId })),
      );
      return heads.flatMap((head) => EdgeHead.safeParse(head).data ?? []);
    },
    askFold: (edge: NodeId, streamId: StreamId) => at<unknown>(edge, edgeActions.fold, { streamId }),
    /** Asks an edge of this region to fetch an object from another region (R5). */
    askToPull: async (edge: NodeId, params: PullParams, withinMs: number): Promise<PullState> => {
      const answer = at<unknown>(edge, edgeActions.pull, params, withinMs);
      const late = (): never => {
        throw new TangazaError('UNAVAILABLE', `${edge} does not answer.`);
      };
      return PullReply.parse(await within(answer, { clock, ms: withinMs, late })).state;
    },
  };
}

function drainCalls(at: CallAt) {
  return {
    beginDrain: (node: NodeId, params: BeginDrainParams) =>
      at<{ readonly withinSeconds: number }>(node, drainActions.begin, params),
  };
}

/**
 * Calls an action of this node as the function that it is: what Moleculer does around a call is for those that may get lost, and costs as much
 * as all guards of a comment.
 *
 * @returns undefined where this node has no such service
 */
function callOwn(options: CallOptions, action: string, params: object): Promise<unknown> | undefined {
  const { broker } = options;
  const [service, name = ''] = action.split('.');
  const handler: unknown = broker.services.find((one) => one.name === service)?.schema.actions?.[name];
  if (typeof handler !== 'function') return undefined;
  const call = { params, meta: metaOf(options), nodeID: broker.nodeID, broker };
  return Promise.try(() => Reflect.apply(handler, undefined, [call])).catch((error: unknown) => {
    throw known(error, action);
  });
}

const metaOf = ({ self, clock }: CallOptions): CallMeta => ({
  from: self,
  deadlineMs: clock.monotonicMs() + timeoutMs,
});

/** A node that has the service itself asks itself: another node may be dead for seconds before Moleculer notices. */
async function callKnown<R>(options: CallOptions, action: string, params: object): Promise<R> {
  const { broker, clock } = options;
  const [service = action] = action.split('.');
  const here = broker.services.some(({ name }) => name === service) ? { nodeID: broker.nodeID } : {};
  const rest = { timeout: timeoutMs, meta: metaOf(options), ...here, ...notWaitedFor };
  try {
    return await untilKnown(clock, isOfUnknownClock, () => broker.call<R, object>(action, params, rest));
  } catch (error) {
    throw known(error, action);
  }
}

/** Errors of the catalogue keep their code. Moleculer's own errors (no such node, time-out) mean that nobody answered. */
function known(error: unknown, what: string): unknown {
  const name = error instanceof Error ? error.name : '';
  const isMoleculers = [
    'ServiceNotFoundError',
    'ServiceNotAvailableError',
    'RequestTimeoutError',
    'RequestRejectedError',
  ].includes(name);
  if (isMoleculers) return new TangazaError('UNAVAILABLE', `${what}: nobody answers`, { cause: error });
  const code = errorCodeOf(error);
  if (code === 'INTERNAL' || error instanceof TangazaError) return error;
  return new TangazaError(code, error instanceof Error ? error.message : undefined, {
    data: dataOf(error),
    cause: error,
  });
}

function dataOf(error: unknown): Record<string, unknown> {
  if (typeof error !== 'object' || error === null || !('data' in error)) return {};
  const { data } = error;
  return typeof data === 'object' && data !== null ? { ...data } : {};
}

function ownerNamedBy(error: unknown): NodeId | undefined {
  if (errorCodeOf(error) !== 'NOT_OWNER') return undefined;
  return NodeId.safeParse(dataOf(error)['owner']).data;
}
