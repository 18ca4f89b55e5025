/** How an edge serves objects of its region's store to other edges (R5). */
import { expect, test } from 'vitest';
import { objectPath } from '../../../../../actors/edge-delivery/crossing/crossing-paths.ts';
import { ObjectDoor } from '../../../../../actors/edge-delivery/crossing/object-door.ts';
import { makePass, passKeyOf } from '../../../../../actors/edge-delivery/crossing/object-pass.ts';
import type { HttpRequest } from '../../../../../actors/edge-delivery/http/http.ts';
import { archiveKey } from '../../../../../actors/segment-store/archive-key.ts';
import { RegionId } from '../../../../../cluster/model/ids.ts';
import { noMetrics } from '../../../../../cluster/observe/metrics.ts';
import { MemorySegmentStore } from '../../../../support/ports/memory-segment-store.ts';
import { HandClock, settled } from '../../../../support/regions/hand-clock.ts';

const passKey = passKeyOf('secret');
const keyOf = (number: number): string => archiveKey('demo', 1, number);

/** Its reads end only by their signals. */
class SlowStore extends MemorySegmentStore {
  readonly reading = new Set<string>();

  override get(key: string, signal?: AbortSignal): Promise<Uint8Array> {
    this.reading.add(key);
    return new Promise((_, fail) => {
      signal?.addEventListener('abort', () => {
        this.reading.delete(key);
        fail(signal.reason);
      });
    });
  }
}

function askOf(clock: HandClock, number: number): HttpRequest & { readonly leave: () => void } {
  const path = objectPath(keyOf(number));
  const listeners: (() => void)[] = [];
  return {
    method: 'get',
    path,
    query: '',
    remoteAddress: '',
    isAborted: false,
    header: () => makePass(passKey, RegionId.parse('us'), path, clock.utcMs()),
    body: async () => new Uint8Array(),
    onAbort: (listener) => void listeners.push(listener),
    leave: () => listeners.forEach((listener) => listener()),
  };
}

/** A door that so many edges have asked for an object each, on a store whose reads end only by their signals. */
async function askedBy(edges: number) {
  const clock = new HandClock();
  const store = new SlowStore();
  const door = new ObjectDoor({ clock, store, metrics: noMetrics, passKey, unstored: () => undefined });
  const requests = Array.from({ length: edges }, (_, number) => askOf(clock, number));
  for (const request of requests) void door.serve(request);
  await settled();
  return { store, requests };
}

// Goal: an edge that another edge was faster than costs the store of the home nothing more. Method: a store whose reads end only by their signals; 32
// requests take all places, and one waits. No time passes.
test('the read for an edge that has left is stopped, and the next one has its place', async () => {
  const { store, requests } = await askedBy(33);
  const waiting = keyOf(32);
  const before = { reads: store.reading.size, isRead: store.reading.has(waiting) };
  requests[0]?.leave();
  await settled();
  const after = { isFirstRead: store.reading.has(keyOf(0)), isRead: store.reading.has(waiting) };
  expect({ before, after }).toEqual({
    before: { reads: 32, isRead: false },
    after: { isFirstRead: false, isRead: true },
  });
});

test('a request that waits for its turn and whose edge leaves is never read', async () => {
  const { store, requests } = await askedBy(34);
  requests[32]?.leave();
  requests[0]?.leave();
  await settled();
  const isRead = (number: number): boolean => store.reading.has(keyOf(number));
  expect({ left: isRead(32), next: isRead(33) }).toEqual({ left: false, next: true });
});
