/** The stream that each demo has. */
import { hashStreamKey } from '../../../actors/control/stream-key.ts';
import type { StreamRegistry } from '../../../actors/control/stream-registry.ts';
import { openStreamRegistry } from '../../../actors/control/open-registry.system.ts';
import { StreamId } from '../../../cluster/model/ids.ts';
import type { Clock } from '../../../cluster/time/clock.ts';

export const demo = { id: StreamId.parse('demo'), title: 'Tangaza demo', keyWithoutPublisher: 'demo-key' };

/** Makes the demo's stream, or gives it this key. If somebody deleted it, it is there again. @throws TangazaError as the registry */
export async function ensureDemoStream(dataDir: string, key: string, clock: Clock): Promise<void> {
  const registry = await openStreamRegistry(dataDir, clock);
  try {
    await ensureStreamIn(registry, key, clock);
  } finally {
    await registry.close();
  }
}

/** As `ensureDemoStream`, in a registry that is open. */
export async function ensureStreamIn(registry: StreamRegistry, key: string, clock: Clock): Promise<void> {
  const hashed = { keyHash: hashStreamKey(key), keySalt: '' };
  const nowMs = clock.utcMs();
  const fresh = { id: demo.id, title: demo.title, ladder: 'default', nowMs, mayRevive: true, ...hashed };
  if ((await registry.get(demo.id)) === undefined) await registry.create(fresh);
  else await registry.rotateKey(demo.id, hashed, nowMs);
}
