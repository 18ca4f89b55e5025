/** How edges of other regions are asked for one object (R5). */
import { expect, test } from 'vitest';
import {
  answerOfError,
  askInLine,
  type Answer,
  type Line,
  type LinePorts,
} from '../../../../../actors/edge-delivery/crossing/ask-in-line.ts';
import { TangazaError } from '../../../../../cluster/errors/tangaza-error.ts';
import type { RegionId } from '../../../../../cluster/model/ids.ts';
import type { EdgeElsewhere } from '../../../../../cluster/region/elsewhere.ts';
import { HandClock, settled } from '../../../../support/regions/hand-clock.ts';
import { edgeAt } from '../../../../support/regions/memory-elsewhere.ts';

const body = new Uint8Array([1, 2, 3]);
const silent: Answer = { kind: 'silent' };
const edgeOf = (id: string) => edgeAt(id.slice(0, 2), id);

/** There and back to region `ap`, and to `af`, whose link says a minute. */
const roundTripMs = (region: RegionId): number | undefined =>
  new Map([
    ['ap', 280],
    ['af', 60_000],
  ]).get(region);

/** Edges that answer when the test says so. */
class World {
  readonly clock = new HandClock();
  readonly asked: string[] = [];
  readonly left: string[] = [];
  /** The edges that were noted as silent, and the words of those that refused. */
  readonly silent: string[] = [];
  readonly closing = new AbortController();
  line: Line | undefined;
  fault: unknown;
  readonly #answers = new Map<string, { begin: () => void; answer: (answer: Answer) => void }>();

  constructor(...ids: readonly string[]) {
    const ask = (source: EdgeElsewhere, signal: AbortSignal, begin: () => void): Promise<Answer> => {
      const { promise, resolve } = Promise.withResolvers<Answer>();
      this.asked.push(source.node);
      this.#answers.set(source.node, { begin, answer: resolve });
      signal.addEventListener('abort', () => {
        if (!this.closing.signal.aborted && this.line === undefined) this.left.push(source.node);
        resolve(silent);
      });
      return promise;
    };
    const onFault: LinePorts['onFault'] = ({ node }, fault) =>
      void this.silent.push(fault.kind === 'silent' ? node : fault.words);
    const ports = { clock: this.clock, roundTripMs, ask, onFault };
    askInLine(ports, ids.map(edgeOf), this.closing.signal).then(
      (line) => (this.line = line),
      (error: unknown) => (this.fault = error),
    );
  }

  async begin(id: string): Promise<void> {
    this.#answers.get(id)?.begin();
    await settled();
  }

  async answer(id: string, answer: Answer): Promise<void> {
    this.#answers.get(id)?.answer(answer);
    await settled();
  }
}

test('an edge that answers is asked alone; where it fails the next one is asked at once', async () => {
  const world = new World('eu-1', 'eu-2', 'us-1');
  await world.answer('eu-1', silent);
  expect(world.asked).toEqual(['eu-1', 'eu-2']);
  await world.begin('eu-2');
  await world.clock.pass(5000);
  await world.answer('eu-2', { kind: 'given', body });
  expect({ asked: world.asked, silent: world.silent, body: world.line?.body }).toEqual({
    asked: ['eu-1', 'eu-2'],
    silent: ['eu-1'],
    body,
  });
});

test('where an edge says nothing for 500 ms the next one is asked as well, and who begins first goes on alone', async () => {
  const world = new World('eu-1', 'eu-2', 'us-1');
  await world.clock.pass(450);
  expect(world.asked).toEqual(['eu-1']);
  await world.clock.pass(50);
  expect(world.asked).toEqual(['eu-1', 'eu-2']);
  await world.begin('eu-1');
  expect({ left: world.left, silent: world.silent }).toEqual({ left: ['eu-2'], silent: ['eu-1'] });
  await world.clock.pass(2000);
  await world.answer('eu-1', { kind: 'given', body });
  expect({ asked: world.asked, body: world.line?.body }).toEqual({ asked: ['eu-1', 'eu-2'], body });
});

// Goal: a connection that is cold is no silence, however far the region is. Method: of 280 ms there and back three are waited for, and of a link
// that says a minute, 1 s.
test('an edge that is far away has three round trips more until the next one is asked', async () => {
  const world = new World('ap-1', 'ap-2');
  await world.clock.pass(900);
  await world.begin('ap-1');
  await world.clock.pass(1000);
  await world.answer('ap-1', { kind: 'given', body });
  const slow = new World('af-1', 'af-2');
  await slow.clock.pass(1450);
  const { length } = slow.asked;
  await slow.clock.pass(50);
  expect({ asked: world.asked, silent: world.silent, body: world.line?.body }).toEqual({
    asked: ['ap-1'],
    silent: [],
    body,
  });
  expect({ before: length, after: slow.asked }).toEqual({ before: 1, after: ['af-1', 'af-2'] });
});

test('an edge that refuses is noted with its words', async () => {
  const world = new World('eu-1', 'eu-2');
  await world.answer('eu-1', answerOfError(new TangazaError('UNAVAILABLE', 'http://eu-1.test answers 503')));
  expect({ asked: world.asked, noted: world.silent }).toEqual({
    asked: ['eu-1', 'eu-2'],
    noted: ['http://eu-1.test answers 503'],
  });
});

test('an error says what an edge answered, and any other one that it did not', () => {
  const errors = [
    new TangazaError('SEGMENT_NOT_FOUND'),
    new TangazaError('UNAVAILABLE', 'it answers 429'),
    new TypeError('fetch failed'),
    new DOMException('Nothing came within 5000 ms.', 'TimeoutError'),
  ];
  expect(errors.map(answerOfError)).toEqual([
    { kind: 'lacks' },
    { kind: 'refused', words: 'it answers 429' },
    { kind: 'silent' },
    { kind: 'silent' },
  ]);
});

// Goal: an object that a slow edge would have given is not lost for the fault of a quick one. Method: the first edge is slow and left for the second,
// which breaks off; the third fails.
test('an edge that breaks off makes the next one be asked, and at last the one that was left for it', async () => {
  const world = new World('eu-1', 'eu-2', 'us-1');
  await world.clock.pass(500);
  await world.begin('eu-2');
  expect(world.left).toEqual(['eu-1']);
  await world.answer('eu-2', silent);
  expect(world.asked).toEqual(['eu-1', 'eu-2', 'us-1']);
  await world.answer('us-1', silent);
  await world.begin('eu-1');
  await world.answer('eu-1', { kind: 'given', body });
  expect({ asked: world.asked, body: world.line?.body }).toEqual({
    asked: ['eu-1', 'eu-2', 'us-1', 'eu-1'],
    body,
  });
});

test('edges that fail are asked once each, and then nobody has been reached', async () => {
  const world = new World('eu-1', 'eu-2');
  await world.clock.pass(500);
  await world.begin('eu-2');
  for (const id of ['eu-2', 'eu-1']) await world.answer(id, silent);
  expect({ asked: world.asked, line: world.line }).toEqual({
    asked: ['eu-1', 'eu-2', 'eu-1'],
    line: { body: undefined, lacking: new Set() },
  });
});

test('a region that lacks the object is asked no more, and its silent edges are not waited for', async () => {
  const world = new World('eu-1', 'eu-2', 'eu-3', 'us-1');
  await world.clock.pass(500);
  await world.answer('eu-2', { kind: 'lacks' });
  await world.answer('us-1', { kind: 'lacks' });
  expect({ asked: world.asked, line: world.line }).toEqual({
    asked: ['eu-1', 'eu-2', 'us-1'],
    line: { body: undefined, lacking: new Set(['eu', 'us']) },
  });
});

test('edges that were all silent are waited for, and the first that gives the object is taken', async () => {
  const world = new World('eu-1', 'eu-2');
  await world.clock.pass(3000);
  expect({ asked: world.asked, line: world.line }).toEqual({ asked: ['eu-1', 'eu-2'], line: undefined });
  await world.answer('eu-2', silent);
  await world.answer('eu-1', { kind: 'given', body });
  expect(world.line).toEqual({ body, lacking: new Set() });
});

test('once time is over nobody else is asked', async () => {
  const world = new World('eu-1', 'eu-2');
  world.closing.abort(new Error('over'));
  await settled();
  expect({ asked: world.asked, fault: String(world.fault), silent: world.silent }).toEqual({
    asked: ['eu-1'],
    fault: 'Error: over',
    silent: [],
  });
});

test('nobody is asked where there is nobody', async () => {
  const world = new World();
  await settled();
  expect(world.line).toEqual({ body: undefined, lacking: new Set() });
});
