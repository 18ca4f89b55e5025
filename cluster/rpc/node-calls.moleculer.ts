/**
 * Calls between actors over Moleculer, each to the node that must do it.
 *
 * A node's broker is named `{node}.{bootId}`, so that a call never reaches another life of a node, and two processes
 * with one node id do not kill each other, as Moleculer would have it. Which boot is the living one, the member directory says.
 */
import { Errors, type ServiceBroker, type ServiceSchema } from 'moleculer';
import { EdgeHead, edgeActions } from '../contract/edge-actions.ts';
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
/** An owner gives NATS a second to say who is next. */
const healthTimeoutMs = 2000;
/** C7 gives all of it 300 ms. */
const briefMs = 250;
/** Who asks for sessions to be closed waits for it no longer than this. */
const closeWaitMs = 1000;
/** It may hold a take-over at another node. */
const standsStillTimeoutMs = 12_000;
/** A callee that does not know our clock measures it meanwhile (C6); one that has just started is not yet registered. */
const earlyTries = 12;
const earlyPauseMs = 100;

/**
 * Moleculer's stop waits for the calls that this node makes, as for those that come in: who makes one waits for it as long as the own
 * stop allows. Until then more are made, and with an owner that does not answer there would always be one under way. And it lets the
 * context of a remote call go only when its answer comes: what a dead node never answered would be kept for ever.
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
  /** Where each stream's owner was last found; this node when nothing is known. Entries go with their session. */
  const owners = new Map<StreamId, NodeId>();

  const at = callAt(options);
  /**
   * Asks the owner, wherever it is; a stale route is tried once more where `NOT_OWNER` points.
   *
   * @throws TangazaError as the owner answers; `STALE_EPOCH` for one whose services are gone already while its node leaves: the view
   *   shows it for seconds more
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
    /** Streams whose owner was last found at that node; the next call asks this node again. */
    forgetOwner: (node: NodeId): readonly StreamId[] => {
      const streams = [...owners].filter(([, owner]) => owner === node).map(([stream]) => stream);
      for (const stream of streams) owners.delete(stream);
      return streams;
    },
    ...drainCalls(at, self),
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
      /** Of this node, whoever owns the stream. */
      standsStill: (params: StandsStillParams) =>
        at<StandsStillReply>(self, streamActions.standsStill, params, standsStillTimeoutMs),
      closeSessions: (node: NodeId, params: CloseSessionsParams) =>
        at<unknown>(node, ingestActions.closeSessions, params),
    },
    authenticate: async (streamKey: string): Promise<AuthenticateReply> =>
      callKnown(options, controlActions.authenticate, { streamKey }),
    /** What an owner does not say, it still wants. */
    report: async (owner: NodeId, report: TaskReport): Promise<ReportReply> => {
      const reply = await at<unknown>(owner, streamActions.report, { report });
      return ReportReply.safeParse(reply).data ?? { isWanted: true };
    },
    askHealth: (record: OwnershipRecord, streamId: StreamId): Promise<StreamHealth> =>
      at<StreamHealth>(record.owner, streamActions.health, { streamId }, healthTimeoutMs),
    /** How many streams are on air there; `undefined` when it does not say so at once. */
    askOnAir: async (node: NodeId): Promise<number | undefined> => {
      const answer = await askBriefly(at, options.clock, node, streamActions.onAir, {});
      return typeof answer === 'number' ? answer : undefined;
    },
    closeAllSessions: (params: CloseSessionsParams): Promise<void> => closeEverywhere(at, options, params),
    callAction: (action: string, input: RouteInput): Promise<unknown> => callKnown(options, action, input),
  };
}

/** In-flight calls are rejected at the verdict, not at Moleculer's heartbeat time-out, which takes 4 to 60 s. */
function rejectCallsToTheDead(broker: ServiceBroker, members: MemberDirectory): void {
  members.onGone(({ node, bootId }) => broker.registry.nodes.disconnected(brokerIdOf(node, bootId), true));
}

/** The same call succeeds in a moment. */
const isOfUnknownClock = (error: unknown): boolean => errorCodeOf(error) === 'DEADLINE_UNKNOWN';
const isOnlyEarly = (error: unknown): boolean =>
  isOfUnknownClock(error) || (error instanceof Error && error.name === 'ServiceNotFoundError');

type Question = [node: NodeId, action: string, params: object];
type CallAt = <R>(node: NodeId, action: string, params: object, withinMs?: number) => Promise<R>;

/** Each call goes to the living boot of its node, and says until when it is wanted (C6). */
function callAt({ broker, self, bootId, members, clock }: CallOptions): CallAt {
  const brokerId = (node: NodeId): string => {
    if (node === self) return brokerIdOf(self, bootId);
    const member = members.list().members.find(({ id }) => id === node);
    if (member === undefined) throw new TangazaError('UNAVAILABLE', `The node ${node} is not known here.`);
    return brokerIdOf(member.id, member.bootId);
  };
  /** Looks first: Moleculer warns of each call that comes before the callee's services are known here. */
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

/** Calls, and calls again while that `isEarly`. */
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

/** Of every ingest, each asked for 5 s; who asks for it waits for a second at most, for one of them may be frozen. */
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
  const over = new AbortController();
  const late = clock.sleep(closeWaitMs, over.signal).catch(() => {});
  await Promise.race([Promise.all(told), late]);
  over.abort();
}

/** Asks one of many: one that is not there yet must not hold up, or void, what the others say. */
async function askBriefly(at: CallAt, clock: Clock, ...[node, action, params]: Question): Promise<unknown> {
  const over = new AbortController();
  const late = clock.sleep(briefMs, over.signal).catch(() => {});
  const answer = at<unknown>(node, action, params, briefMs).catch(() => undefined);
  return Promise.race([answer, late]).finally(() => over.abort());
}

/** C7: what edges know of a stream. Those that do not answer are left out. */
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
  };
}

function drainCalls(at: CallAt, self: NodeId) {
  return {
    beginDrain: (node: NodeId, params: BeginDrainParams) =>
      at<{ readonly withinSeconds: number }>(node, drainActions.begin, params),
    /** What a drain asks of its own node. */
    own: {
      handOver: (withinMs: number) =>
        at<readonly StreamId[]>(self, streamActions.handOverAll, { withinMs }, withinMs + timeoutMs),
      sessionsGone: (withinMs: number) =>
        at<void>(self, streamActions.sessionsGone, { withinMs }, withinMs + timeoutMs),
      endPublishers: () => at<void>(self, ingestActions.end, {}),
      publishers: () => at<number>(self, ingestActions.count, {}),
      askPublishersToLeave: () => at<void>(self, ingestActions.askToLeave, {}),
      closePublishers: () => at<void>(self, ingestActions.closeAtKeyframe, {}),
    },
  };
}

/** Whoever has the service itself asks itself: another node may be dead for seconds before Moleculer knows. */
async function callKnown<R>(
  { broker, self, clock }: CallOptions,
  action: string,
  params: object,
): Promise<R> {
  const [service = action] = action.split('.');
  const here = broker.services.some(({ name }) => name === service) ? { nodeID: broker.nodeID } : {};
  const meta: CallMeta = { from: self, deadlineMs: clock.monotonicMs() + timeoutMs };
  const rest = { timeout: timeoutMs, meta, ...here, ...notWaitedFor };
  try {
    return await untilKnown(clock, isOfUnknownClock, () => broker.call<R, object>(action, params, rest));
  } catch (error) {
    throw known(error, action);
  }
}

/** Errors of the catalogue keep their code; Moleculer's own (no such node, time-out) mean that nobody answered. */
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
