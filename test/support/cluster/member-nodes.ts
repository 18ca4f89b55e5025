/** Members of a region on a real nats-server, without the rest of a node. */
import { createServer, type Server } from 'node:http';
import { hostname } from 'node:os';
import { Kvm } from '@nats-io/kv';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { GoneMember, Member } from '../../../cluster/membership/member-directory.ts';
import type { Membership } from '../../../cluster/membership/member-directory.ts';
import { openNatsMembership } from '../../../cluster/membership/membership.nats.ts';
import { silentLogger } from '../../../cluster/observe/logger.ts';
import { noMetrics, type Metrics } from '../../../cluster/observe/metrics.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { testMember } from './members.ts';
import type { TestNats } from './start-nats.ts';
import { waitFor, waitUntil } from '../wait.ts';

export interface TestNode extends AsyncDisposable {
  readonly membership: Membership;
  readonly gone: GoneMember[];
  readonly exits: string[];
  /** How often each event of failure detection was counted. */
  counted(event: string): number;
  /** Leaves its NATS server and comes back to it. */
  reconnect(): Promise<void>;
  /** Resolves when JetStream has answered it. */
  isServed(): Promise<void>;
  /** Dies without a word: NATS and HTTP are gone at once. */
  crash(): Promise<void>;
}

interface NodeOptions {
  readonly change?: Partial<Member>;
  readonly secretHash?: string;
  readonly clock?: Clock;
}

export async function startNode(
  nats: Pick<TestNats, 'url'>,
  name: string,
  { change, secretHash = 'secret', clock = systemClock }: NodeOptions = {},
): Promise<TestNode> {
  const health = createServer((_, reply) => void reply.end('ok'));
  const port = await listening(health);
  const connection = await connect({ servers: nats.url, reconnectTimeWait: 50, maxReconnectAttempts: -1 });
  const self = testMember(name, {
    host: hostname(),
    httpUrl: `http://127.0.0.1:${port}`,
    rtmpUrl: 'rtmp://127.0.0.1/live',
    ...change,
  });
  const exits: string[] = [];
  const counts = new Map<string, number>();
  const crash = async (): Promise<void> => {
    health.closeAllConnections();
    health.close();
    await connection.close();
  };
  try {
    const membership = await openNatsMembership({
      connection,
      self,
      secretHash,
      clock,
      random: Math.random,
      logger: silentLogger,
      metrics: countingInto(counts),
      exit: (why) => void exits.push(why),
    });
    const gone: GoneMember[] = [];
    membership.onGone((one) => void gone.push(one));
    const dispose = async (): Promise<void> => {
      if (!connection.isClosed()) await membership.close();
      await crash();
    };
    return {
      membership,
      gone,
      exits,
      crash,
      [Symbol.asyncDispose]: dispose,
      counted: (event) => counts.get(event) ?? 0,
      reconnect: () => connection.reconnect(),
      isServed: () => servedBy(connection),
    };
  } catch (error) {
    await crash();
    throw error;
  }
}

function countingInto(counts: Map<string, number>): Metrics {
  const add = (by: number, { event = '' } = {}): void =>
    void counts.set(event, (counts.get(event) ?? 0) + by);
  return { ...noMetrics, counter: () => ({ add }) };
}

async function servedBy(connection: NatsConnection): Promise<void> {
  const ask = () => connection.request('$JS.API.INFO', '', { timeout: 500 });
  await waitFor('JetStream answers', ask, () => true, { everyMs: 20 });
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Waits until it is true of the members. @throws Error that tells the condition, when it never is */
export const until = (isTrue: () => boolean): Promise<void> =>
  waitUntil(isTrue.toString(), isTrue, { everyMs: 20 });

export const states = ({ membership }: TestNode): readonly string[] =>
  membership.list().members.map(({ id, state }) => `${id} ${state}`);

/** Writes into the view that its only member is dead. */
export async function declareDead(nats: TestNats): Promise<void> {
  await using connection = await connect({ servers: nats.url });
  const kv = await new Kvm(connection).open('members-r1');
  const entry = await kv.get('view');
  const text = entry
    ?.string()
    .replace('"state":"alive"', '"state":"dead"')
    .replace('"version":1', '"version":2');
  await kv.update('view', text ?? '', entry?.revision ?? 0);
}
