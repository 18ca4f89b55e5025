/** The contract of the events between nodes. Each implementation is one row of `subjects`. */
import { connect } from '@nats-io/transport-node';
import { describe, expect, test } from 'vitest';
import type { AudienceEvent, AudienceEvents, ReadEvent } from '../../actors/comments/feed/audience-events.ts';
import { openNatsAudienceEvents } from '../../actors/comments/feed/audience-events.nats.ts';
import { BootId, NodeId, StreamId } from '../../cluster/model/ids.ts';
import { systemClock as clock } from '../../cluster/time/clock.system.ts';
import { startNats } from '../support/cluster/start-nats.ts';
import { MemoryNetwork } from '../support/audience/memory-audience-events.ts';
import { region } from '../support/ports/records.ts';
import { commentStream, hiddenAt, storedComment } from '../support/ports/stores/stored-comments.ts';

interface Subject extends AsyncDisposable {
  /** Two nodes. */
  readonly nodes: readonly [AudienceEvents, AudienceEvents];
}

async function natsSubject(): Promise<Subject> {
  await using opened = new AsyncDisposableStack();
  const nats = opened.use(await startNats());
  const open = async (node: string): Promise<AudienceEvents> => {
    const connection = opened.adopt(await connect({ servers: nats.url }), (one) => one.close());
    const self = { ...sender, node: NodeId.parse(node) };
    const events = openNatsAudienceEvents({ self, connection, region, clock, downMs: () => 0 });
    opened.defer(() => events.close());
    return events;
  };
  const nodes = [await open('n1'), await open('n2')] as const;
  const opening = opened.move();
  return { nodes, [Symbol.asyncDispose]: () => opening.disposeAsync() };
}

async function memorySubject(): Promise<Subject> {
  const network = new MemoryNetwork();
  return { nodes: [network.open(), network.open()], [Symbol.asyncDispose]: async () => {} };
}

const sender = { node: NodeId.parse('n1'), bootId: BootId.parse('b1') };

const subjects: readonly (readonly [string, () => Promise<Subject>])[] = [
  ['memory', memorySubject],
  ['NATS', natsSubject],
];

const other = StreamId.parse('other');
const head = (number: number): AudienceEvent => ({ ...sender, number, firstAtMs: 7, isHead: true });
const comment = storedComment();
const changes: readonly AudienceEvent[] = [
  { kind: 'added', comment } as const,
  { kind: 'changed', comment: hiddenAt(comment, 5000) } as const,
  {
    kind: 'hiding',
    streamId: commentStream,
    id: comment.id,
    hiding: { by: 'operator', atMs: 1, reason: 'rude' },
    atMs: 1,
  } as const,
  { kind: 'mode', streamId: commentStream, mode: { mode: 'closed', slowSeconds: 3 } } as const,
  { kind: 'unsure', streamId: commentStream } as const,
].map((change, previous) => ({ ...sender, number: previous + 1, previous, firstAtMs: 7, change }));

async function hearing(events: AudienceEvents, stream: StreamId = commentStream) {
  const heard: ReadEvent[] = [];
  const { isListening, stop } = events.listen(stream, { hear: (event) => void heard.push(event) });
  expect({ isListening: await isListening }).toEqual({ isListening: true });
  return { heard, stop };
}

describe.each(subjects)('events by %s', (_, start) => {
  test('what one node says the other hears as it was, in order', async () => {
    await using subject = await start();
    const [one, two] = subject.nodes;
    const { heard } = await hearing(two);
    const isSent = [...changes, head(5)].map((event) => one.publish(commentStream, event));
    expect(new Set(isSent)).toEqual(new Set([true]));
    await expect.poll(() => heard.length).toBe(changes.length + 1);
    expect(heard).toEqual([...changes, head(5)].map((event) => ({ kind: 'event', event })));
  });

  test('a node hears nothing of other streams, and nothing once it has stopped', async () => {
    await using subject = await start();
    const [one, two] = subject.nodes;
    const ofOther = await hearing(two, other);
    const stopped = await hearing(two);
    const { heard } = await hearing(two);
    stopped.stop();
    one.publish(commentStream, head(1));
    await expect.poll(() => heard.length).toBe(1);
    expect({ ofOther: ofOther.heard, stopped: stopped.heard }).toEqual({ ofOther: [], stopped: [] });
  });
});

// Goal: a node does not pay for reading what it said itself, which NATS brings back. Method: both nodes listen; one speaks, and another of
// its lives does.
test('by NATS a node hears nothing of what it said itself, and all that another life of it says', async () => {
  await using subject = await natsSubject();
  const [one, two] = subject.nodes;
  const [atOne, atTwo] = [await hearing(one), await hearing(two)];
  const former = { ...head(2), bootId: BootId.parse('b0') };
  for (const event of [head(1), former]) one.publish(commentStream, event);
  await expect.poll(() => atTwo.heard.length).toBe(2);
  await expect.poll(() => atOne.heard).toEqual([{ kind: 'event', event: former }]);
});
