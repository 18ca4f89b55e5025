/** The ports of the product's take-over on a simulated NATS, whose answers take time and may be lost. */
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import type { IndexLog } from '../../cluster/log/index-log.ts';
import type { OwnershipStore } from '../../cluster/ownership/ownership-store.ts';
import type { SimulatedLog } from './simulated-log.ts';
import { region, type Process, type World } from './world.ts';

const not = (): never => {
  throw new TangazaError('INTERNAL', 'not simulated');
};

export function logPort(world: World, log: SimulatedLog, process: Process): IndexLog {
  return {
    append: (stream, { epoch, node, bootId, recordId, atMs }, expected) =>
      world.ask(process, 'write', () =>
        log.append(stream, { epoch, node, bootId, recordId, atMs, body: { kind: 'open' } }, expected),
      ),
    tail: (stream) =>
      world.ask(process, 'read', () => {
        const { tail, sequence } = log.of(stream);
        if (tail === undefined) return undefined;
        const { epoch, node, bootId, recordId, atMs } = tail;
        return { sequence, record: { kind: 'open', epoch, node, region, bootId, recordId, atMs } };
      }),
    read: not,
    follow: not,
    purgeBelow: not,
  };
}

export function storePort(world: World, log: SimulatedLog, process: Process): OwnershipStore {
  return {
    get: (stream) => world.ask(process, 'read', () => log.record(stream)),
    put: (stream, record, revision) =>
      world.ask(process, 'write', () => log.putRecord(stream, record, revision)),
    list: not,
  };
}
