import { expect, test } from 'vitest';
import { Holds } from '../../../../../actors/edge-delivery/playback/holds.ts';
import type { HttpRequest } from '../../../../../actors/edge-delivery/http/http.ts';
import { emptyTimeline } from '../../../../../actors/media/timeline/fold.ts';
import { errorCodeOf } from '../../../../../cluster/errors/tangaza-error.ts';

interface FakeRequest extends HttpRequest {
  leave(): void;
}

function request(): FakeRequest {
  const listeners: (() => void)[] = [];
  return {
    method: 'get',
    path: '/',
    query: '',
    remoteAddress: '',
    isAborted: false,
    header: () => '',
    body: async () => new Uint8Array(),
    onAbort: (listener) => void listeners.push(listener),
    leave: () => listeners.forEach((listener) => listener()),
  };
}

const at = (nextNumber: number) => ({ ...emptyTimeline(), nextNumber });
const isPast = (number: number) => (timeline: { nextNumber: number }) => timeline.nextNumber > number;

test('all that wait for one thing are let go by the commit that brings it, others wait on', async () => {
  const holds = new Holds({ requests: 10, things: 10 });
  const one = [holds.wait(request(), 'one', isPast(1), 1000), holds.wait(request(), 'one', isPast(1), 1000)];
  const two = holds.wait(request(), 'two', isPast(2), 1000);
  holds.advance(at(2));
  expect(await Promise.all(one)).toEqual(['settled', 'settled']);
  expect(holds.requests).toBe(1);
  holds.expire(1000);
  expect(await two).toBe('timeOut');
  expect(holds.requests).toBe(0);
});

test('a wait ends at its deadline and not before', async () => {
  const holds = new Holds({ requests: 10, things: 10 });
  const waiting = holds.wait(request(), 'x', () => false, 1000);
  holds.expire(999);
  expect(holds.requests).toBe(1);
  holds.expire(1000);
  expect(await waiting).toBe('timeOut');
});

test('a request over the bound is refused; one whose client left makes room', async () => {
  const holds = new Holds({ requests: 1, things: 10 });
  const first = request();
  const waiting = holds.wait(first, 'x', () => false, 1000);
  const refused = async () => holds.wait(request(), 'x', () => false, 1000).then(() => 'none', errorCodeOf);
  expect(await refused()).toBe('OVERLOADED');
  first.leave();
  expect(holds.requests).toBe(0);
  const next = holds.wait(request(), 'x', () => false, 1000);
  holds.close();
  expect(await Promise.all([waiting, next])).toEqual(['closed', 'closed']);
  expect(holds.requests).toBe(0);
});

test('made-up names cannot fill the table of things waited for', async () => {
  const holds = new Holds({ requests: 100, things: 2 });
  const waiting = ['a', 'b'].map((key) => holds.wait(request(), key, () => false, 1000));
  expect(await holds.wait(request(), 'c', () => false, 1000).then(() => 'none', errorCodeOf)).toBe(
    'OVERLOADED',
  );
  waiting.push(holds.wait(request(), 'a', () => false, 1000));
  holds.close();
  expect(await Promise.all(waiting)).toEqual(['closed', 'closed', 'closed']);
});
