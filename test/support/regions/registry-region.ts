/** A region with a registry in a SQLite file of its own, as one of its nodes has it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IdempotentRequest } from '../../../actors/control/idempotency.ts';
import { RegistryAcross } from '../../../actors/control/regions/registry-across.ts';
import { RegistrySync } from '../../../actors/control/regions/registry-sync.ts';
import { openSqliteStreamRegistry } from '../../../actors/control/stream-registry.sqlite.ts';
import type { CloseSessionsParams } from '../../../cluster/contract/ingest-actions.ts';
import { RegionId, StreamId } from '../../../cluster/model/ids.ts';
import { silentLogger, type Logger } from '../../../cluster/observe/logger.ts';
import { noMetrics } from '../../../cluster/observe/metrics.ts';
import type { OtherRegions, RegionLink } from '../../../cluster/region/other-regions.ts';
import { RegionClock } from '../../../cluster/region/region-clock.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import type { MemoryRegions } from './memory-regions.ts';

export interface RegionOptions {
  /** How far its wall clock is ahead of the others', which its links have measured. */
  readonly aheadMs?: number;
  /** Of a registry that is there already. */
  readonly folder?: string;
}

/** @param joined the regions that it is one of */
export function startRegistryRegion(joined: MemoryRegions, id: string, options: RegionOptions = {}) {
  const { aheadMs = 0, folder = mkdtempSync(join(tmpdir(), `tangaza-${id}-`)) } = options;
  const clock: Clock = { ...systemClock, utcMs: () => systemClock.utcMs() + aheadMs };
  const asked: string[] = [];
  const warned: object[] = [];
  const logger: Logger = { ...silentLogger, warn: (facts) => void warned.push(facts) };
  const others = measured(joined.of(id), aheadMs, asked);
  const registry = openSqliteStreamRegistry(join(folder, 'tangaza.sqlite'), clock);
  const times = new RegionClock(RegionId.parse(id), others);
  const parts = { registry, others, times, clock, logger, metrics: noMetrics };
  const across = new RegistryAcross(parts);
  const closed: CloseSessionsParams[] = [];
  const sync = new RegistrySync({
    ...parts,
    isMine: () => true,
    onLearnt: (listener) => across.onLearnt(listener),
    closeSessions: async (params) => void closed.push(params),
  });
  sync.start();
  return {
    folder,
    registry: across,
    file: registry,
    clock,
    /** The streams and keys that it has asked other regions for. */
    asked,
    /** The facts of the warnings in its log. */
    warned,
    closed,
    create: (name: string, keyHash = `key of ${name}`, request?: IdempotentRequest) =>
      across.create({
        id: StreamId.parse(name),
        title: `title of ${name}`,
        ladder: 'default',
        keyHash,
        keySalt: `salt of ${keyHash}`,
        nowMs: clock.utcMs(),
        request,
      }),
    /** It has gone, and its folder stays. */
    stop: async () => {
      sync.stop();
      await registry.close();
    },
    [Symbol.asyncDispose]: async () => {
      sync.stop();
      await registry.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The links as they are where this region's clock is ahead. */
function measured(others: OtherRegions, aheadMs: number, asked: string[]): OtherRegions {
  const seen = (link: RegionLink): RegionLink => ({ ...link, offsetMs: link.isUp ? -aheadMs : undefined });
  return {
    regions: others.regions,
    call: (region, call, params, options) => {
      if (call.name === 'registry-stream') asked.push(JSON.stringify(params));
      return others.call(region, call, params, options);
    },
    serve: (...args) => others.serve(...args),
    publish: (...args) => others.publish(...args),
    listen: (...args) => others.listen(...args),
    links: () => others.links().map(seen),
    onLink: (listener) => others.onLink((link) => listener(seen(link))),
    isServedHere: (...args) => others.isServedHere(...args),
    warnings: () => others.warnings(),
  };
}
