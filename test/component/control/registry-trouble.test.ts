/** A registry of streams that is slow, silent or gone, behind what asks it: ingest's key check, the edge, the control API. */
import { ServiceBroker } from 'moleculer';
import { expect, test } from 'vitest';
import { controlService } from '../../../actors/control/control.service.ts';
import { registryInTime, registryLimits, toldByRegistry } from '../../../actors/control/registry-in-time.ts';
import { hashStreamKey } from '../../../actors/control/stream-key.ts';
import { controlActions, type AuthenticateReply } from '../../../cluster/contract/control-actions.ts';
import type { CloseSessionsParams } from '../../../cluster/contract/ingest-actions.ts';
import { errorCodeOf, TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { StreamId } from '../../../cluster/model/ids.ts';
import { systemClock as clock } from '../../../cluster/time/clock.system.ts';
import { IngestRig } from '../../support/ingest/ingest-rig.ts';
import { RtmpPublisher } from '../../support/ingest/rtmp-publisher.ts';
import {
  MemoryStreamRegistry,
  TroubledRegistry,
  type Trouble,
} from '../../support/ports/stores/memory-stream-registry.ts';
import { operatorToken, startTestEdge } from '../../support/ports/test-edge.ts';
import { oneRegion } from '../../support/regions/one-region.ts';

const id = StreamId.parse('demo');
const slow: Trouble = { kind: 'slow', ms: 2000 };
const tooSlow: Trouble = { kind: 'slow', ms: registryLimits.waitMs + 200 };

/** The registry knows `demo`, whose key is `key`; an edge with the control actor, and an ingest, all ask it. */
async function startAll() {
  const registry = new TroubledRegistry(new MemoryStreamRegistry());
  const closed: CloseSessionsParams[] = [];
  /** Added to what the edge takes for the time. */
  const shift = { ms: 0 };
  const nowMs = clock.utcMs();
  await registry.create({
    id,
    title: 'Demo',
    ladder: 'default',
    keyHash: hashStreamKey('key'),
    keySalt: 's',
    nowMs,
  });
  const gone = () => Promise.reject(new TangazaError('LOG_UNAVAILABLE'));
  const broker = new ServiceBroker({ logger: false, validator: false });
  broker.createService(
    controlService({
      ...oneRegion,
      clock,
      registry,
      ladders: new Set(['default']),
      defaultLadder: 'default',
      keySecret: 'secret',
      checkDeadline: () => {},
      ownership: { known: gone, allKnown: gone },
      members: { list: () => ({ revision: 1, members: [], readAtMs: 0 }) },
      newId: () => 'made',
      newSalt: () => 'salt',
      beginDrain: gone,
      release: gone,
      askHealth: gone,
      askOnAir: gone,
      closeSessions: async (params) => void closed.push(params),
      connectionsOf: () => undefined,
      suspects: () => [],
    }),
  );
  await broker.start();
  const ingest = await IngestRig.start({
    authenticate: (streamKey) =>
      broker.call<AuthenticateReply, object>(controlActions.authenticate, { streamKey }),
  });
  const edge = await startTestEdge({
    call: (action, input) => broker.call<unknown, object>(action, input),
    ...toldByRegistry(registry, clock),
    clock: { ...clock, monotonicMs: () => clock.monotonicMs() + shift.ms },
    idleMs: 200,
  });
  return {
    registry,
    closed,
    ingest,
    edge,
    shift,
    ask: (path: string, method = 'GET') =>
      fetch(edge.url + path, { method, headers: { authorization: `Bearer ${operatorToken}` } }),
    publish: () => RtmpPublisher.publish({ port: ingest.port, key: 'key' }),
    [Symbol.asyncDispose]: async () => {
      await edge.close(0);
      await ingest[Symbol.asyncDispose]();
      await broker.stop();
    },
  };
}

const codeIn = async (reply: Response): Promise<unknown> => {
  const problem: unknown = await reply.json();
  return typeof problem === 'object' && problem !== null && 'code' in problem ? problem.code : problem;
};

test('a registry that takes 2 s is waited for: the publisher is on air, the edge and the API answer', async () => {
  await using all = await startAll();
  await all.edge.broadcast(1);
  all.registry.trouble = slow;
  const [published, playlist, shown] = await Promise.all([
    all.publish(),
    all.ask('/live/demo/main.m3u8'),
    all.ask('/v1/streams/demo'),
  ]);
  await using publisher = published.publisher;
  expect(publisher.statuses.map(({ code }) => code)).toEqual(['NetStream.Publish.Start']);
  expect({ playlist: playlist.status, shown: shown.status }).toEqual({ playlist: 200, shown: 200 });
});

test.each<Trouble>([{ kind: 'gone' }, { kind: 'silent' }])(
  'with the registry $kind a publisher is told to try again, not that its key is wrong',
  async (trouble) => {
    await using all = await startAll();
    all.registry.trouble = trouble;
    const { publisher, status } = await all.publish();
    await using _ = publisher;
    expect(status).toMatchObject({
      level: 'error',
      description: expect.stringMatching(/registry of streams/),
    });
    all.registry.trouble = { kind: 'none' };
    const again = await all.publish();
    await using __ = again.publisher;
    expect(again.status?.code).toBe('NetStream.Publish.Start');
  },
);

test.each<Trouble>([{ kind: 'gone' }, { kind: 'silent' }])(
  'with the registry $kind what an edge has known is served, and what it has not is UNAVAILABLE',
  async (trouble) => {
    await using all = await startAll();
    const stream = await all.edge.broadcast(2);
    expect((await all.ask('/live/demo/main.m3u8')).status).toBe(200);
    expect((await all.ask('/v1/streams/demo/public')).status).toBe(200);
    all.registry.trouble = trouble;
    all.shift.ms = 120_000; // nobody watches for a while, and what the registry said is old
    await expect.poll(() => all.edge.log.following).toBe(0);
    const paths = ['/live/demo/main.m3u8', '/live/demo/manifest.mpd', '/v1/streams/demo/public'];
    const statuses = await Promise.all(
      [...paths, stream.segmentPath(1)].map(async (path) => (await all.ask(path)).status),
    );
    expect(statuses).toEqual([200, 200, 200, 200]);
    await stream.commit();
    await expect.poll(async () => (await all.ask(`/live/demo/main.m3u8`)).status).toBe(200);
    const other = await all.ask('/live/other/main.m3u8');
    expect({ status: other.status, code: await codeIn(other) }).toEqual({ status: 503, code: 'UNAVAILABLE' });
  },
);

test.each<Trouble>([{ kind: 'gone' }, { kind: 'silent' }])(
  'with the registry $kind the API answers UNAVAILABLE, whatever it is asked',
  async (trouble) => {
    await using all = await startAll();
    all.registry.trouble = trouble;
    const asked = [
      ...['/v1/streams', '/v1/streams/demo', '/v1/streams/demo/health'].map((path) => ['GET', path] as const),
      ['POST', '/v1/streams/demo/key'] as const,
      ['DELETE', '/v1/streams/demo'] as const,
    ];
    const codes = await Promise.all(asked.map(async ([method, path]) => codeIn(await all.ask(path, method))));
    expect(codes).toEqual(asked.map(() => 'UNAVAILABLE'));
    expect(all.closed).toEqual([]);
  },
);

test('a removal that comes too late for its caller still closes the publishers', async () => {
  await using all = await startAll();
  all.registry.trouble = tooSlow;
  expect((await all.ask('/v1/streams/demo', 'DELETE')).status).toBe(503);
  await expect.poll(() => all.closed).toMatchObject([{ streamId: 'demo', code: 'STREAM_REMOVED' }]);
});

test('a registry that never answers holds a bounded number of questions, and new ones are refused', async () => {
  const inTime = registryInTime({ sleep: (_, signal) => untilAborted(signal) });
  const answers: (() => void)[] = [];
  const ask = () => inTime(() => new Promise<void>((resolve) => answers.push(resolve)));
  const waiting = Array.from({ length: registryLimits.maxUnderWay }, ask);
  expect(await ask().then(() => 'answered', errorCodeOf)).toBe('OVERLOADED');
  for (const answer of answers) answer();
  await Promise.all(waiting);
  const next = ask();
  answers.at(-1)?.();
  await next;
});

const untilAborted = (signal: AbortSignal | undefined): Promise<void> =>
  new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(new Error('over')), { once: true });
  });
