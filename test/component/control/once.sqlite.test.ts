/** Every route that changes something, at two nodes of one host: an `Idempotency-Key` is done once. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServiceBroker } from 'moleculer';
import { expect, test } from 'vitest';
import { controlService } from '../../../actors/control/control.service.ts';
import { idempotentRequest } from '../../../actors/control/idempotency.ts';
import { openSqliteStreamRegistry } from '../../../actors/control/stream-registry.sqlite.ts';
import type { StreamRegistry } from '../../../actors/control/stream-registry.ts';
import { allRoutes } from '../../../actors/edge-delivery/edge.ts';
import { examples } from '../../../cluster/contract/api/examples.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { ListedMember } from '../../../cluster/membership/member-directory.ts';
import { BootId, NodeId, RegionId, StreamId } from '../../../cluster/model/ids.ts';
import { systemClock as clock } from '../../../cluster/time/clock.system.ts';
import { oneRegion } from '../../support/regions/one-region.ts';

/** Those of the audience may be done twice: a comment has its clientId. */
const unsafe = allRoutes.flatMap(({ method, tag, operation, action }) =>
  method === 'get' || tag === 'audience' ? [] : [{ operation, action: action ?? 'the edge itself' }],
);
const member: ListedMember = {
  id: NodeId.parse('region-1-node-1'),
  region: RegionId.parse('region-1'),
  host: 'h',
  pid: 1,
  bootId: BootId.parse('5f0c2b7e9a11'),
  roles: ['ingest'],
  startedAt: '2026-11-30T00:00:00Z',
  httpUrl: 'http://127.0.0.1:1',
  rtmpUrl: 'rtmp://127.0.0.1:1/live',
  weight: 1,
  protocol: 1,
  state: 'alive',
  isAlive: true,
  incarnation: 1,
};

interface Rig extends Disposable {
  /** Two nodes: the first one's actions, and the second one's. */
  readonly nodes: readonly [ServiceBroker, ServiceBroker];
  readonly registry: StreamRegistry;
  /** What was done outside of the registry, in order. */
  readonly done: readonly string[];
  /** What drains and such wait for. */
  wait: Promise<void>;
  /** The next effect fails. */
  failsOnce: boolean;
}

function startRig(): Rig {
  const folder = mkdtempSync(join(tmpdir(), 'tangaza-once-'));
  const open = () => openSqliteStreamRegistry(join(folder, 'tangaza.sqlite'), clock);
  const registries = [open(), open()] as const;
  const done: string[] = [];
  let made = 0;
  const effect = async <T>(name: string, value: T): Promise<T> => {
    await rig.wait;
    if (rig.failsOnce) {
      rig.failsOnce = false;
      throw new TangazaError('LOG_UNAVAILABLE');
    }
    done.push(name);
    return value;
  };
  const node = (registry: StreamRegistry): ServiceBroker => {
    const broker = new ServiceBroker({ logger: false, validator: false });
    broker.createService(
      controlService({
        ...oneRegion,
        clock,
        registry,
        ladders: new Set(['default', 'source']),
        defaultLadder: 'default',
        keySecret: 's',
        checkDeadline: () => {},
        ownership: {
          known: async () => ({ value: undefined }),
          allKnown: async () => ({ value: new Map() }),
        },
        members: { list: () => ({ revision: 1, members: [member], readAtMs: 0 }) },
        newId: () => `made-${++made}`,
        newSalt: () => `salt-${++made}`,
        beginDrain: () => effect('drain', { withinSeconds: done.length + 1 }),
        release: () => effect('release', [NodeId.parse(`freed-${done.length}`)]),
        closeSessions: () => effect('close sessions', undefined),
        askHealth: () => Promise.reject(new Error('nobody asks')),
        askOnAir: async () => undefined,
        connectionsOf: () => undefined,
        suspects: () => [],
      }),
    );
    return broker;
  };
  const rig: Rig = {
    nodes: [node(registries[0]), node(registries[1])],
    registry: registries[0],
    done,
    wait: Promise.resolve(),
    failsOnce: false,
    [Symbol.dispose]: () => {
      for (const registry of registries) void registry.close();
      rmSync(folder, { recursive: true });
    },
  };
  return rig;
}

const news = (rig: Rig) =>
  rig.registry.create({
    id: StreamId.parse('news'),
    title: 'News',
    ladder: 'default',
    nowMs: 1,
    keyHash: 'hash',
    keySalt: 'salt',
  });

async function ask(broker: ServiceBroker, action: string, operation: string, key?: string): Promise<unknown> {
  await broker.start();
  const { params = {}, body = {} } = examples[operation] ?? {};
  const idempotency = key === undefined ? {} : { idempotencyKey: key };
  return broker.call(action, { params, query: {}, body, origin: 'http://edge.test', ...idempotency });
}

/** All that a second run would change. */
const standing = async ({ registry, done }: Rig) => ({
  streams: await registry.list(200),
  keyOfNews: (await registry.findByKeyHash('hash'))?.id,
  done: [...done],
});

test('there are routes that change something', () => {
  expect(unsafe.map(({ operation }) => operation).toSorted()).toEqual(
    expect.arrayContaining(['createStream', 'deleteStream', 'drainNode', 'releaseBrake', 'rotateKey']),
  );
});

// As it once was: a repeated drain answered CONFLICT, a repeated removal STREAM_NOT_FOUND.
for (const { operation, action } of unsafe) {
  test(`${operation}: repeated with its key at the other node it does nothing, and gets the first reply`, async () => {
    using rig = startRig();
    if (operation !== 'createStream') await news(rig);
    const first = await ask(rig.nodes[0], action, operation, 'k');
    const before = await standing(rig);
    expect(await ask(rig.nodes[1], action, operation, 'k')).toEqual(first);
    expect(await ask(rig.nodes[0], action, operation, 'k')).toEqual(first);
    expect(await standing(rig)).toEqual(before);
  });

  test(`${operation}: of two at once with one key one is done, and both get its reply`, async () => {
    using rig = startRig();
    if (operation !== 'createStream') await news(rig);
    const { promise, resolve } = Promise.withResolvers<void>();
    rig.wait = promise;
    const replies = rig.nodes.map((broker) => ask(broker, action, operation, 'k'));
    setTimeout(resolve, 250);
    const [first, second] = await Promise.all(replies);
    expect(second).toEqual(first);
    expect(rig.done.length).toBeLessThanOrEqual(1);
    expect((await rig.registry.list(9)).length).toBeLessThanOrEqual(1);
  });
}

test('the first reply stays the reply whatever happens since, and another request with the key is refused', async () => {
  using rig = startRig();
  await news(rig);
  const rotated = await ask(rig.nodes[0], 'control.rotateKey', 'rotateKey', 'k');
  const again = await ask(rig.nodes[0], 'control.rotateKey', 'rotateKey');
  expect(again).not.toEqual(rotated);
  await ask(rig.nodes[0], 'control.remove', 'deleteStream');
  expect(await ask(rig.nodes[1], 'control.rotateKey', 'rotateKey', 'k')).toEqual(rotated);
  await expect(ask(rig.nodes[1], 'control.drain', 'drainNode', 'k')).rejects.toMatchObject({
    code: 'IDEMPOTENCY_KEY_REUSED',
  });
});

test('what failed is forgotten: the same request is tried again', async () => {
  using rig = startRig();
  rig.failsOnce = true;
  await expect(ask(rig.nodes[0], 'control.drain', 'drainNode', 'k')).rejects.toThrow();
  expect(await ask(rig.nodes[1], 'control.drain', 'drainNode', 'k')).toMatchObject({ state: 'draining' });
  await expect(ask(rig.nodes[0], 'control.rotateKey', 'rotateKey', 'none')).rejects.toMatchObject({
    code: 'STREAM_NOT_FOUND',
  });
  await news(rig);
  expect(await ask(rig.nodes[0], 'control.rotateKey', 'rotateKey', 'none')).toMatchObject({ id: 'news' });
});

test('the database shows no stream key of a reply that it keeps', async () => {
  using rig = startRig();
  const made = await ask(rig.nodes[0], 'control.create', 'createStream', 'k');
  const { body } = examples['createStream'] ?? {};
  const request = idempotentRequest('create', { idempotencyKey: 'k', params: {}, body });
  const kept = request && (await rig.registry.claim(request, clock.utcMs()));
  const reply = kept?.kind === 'given' ? kept.reply : '';
  expect(reply.length).toBeGreaterThan(100);
  expect(made).toMatchObject({ streamKey: expect.stringMatching(/^news_/) });
  expect(Buffer.from(reply, 'base64url').toString('latin1')).not.toContain('news_');
});
