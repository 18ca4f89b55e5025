import { expect, test } from 'vitest';
import type { Ending } from '../../../../scripts/demo/process-event.ts';
import { heard } from '../../../../scripts/demo/story/nodes.ts';
import { newStory } from '../../../../scripts/demo/story/state.ts';
import { floods, tell, type StoryEvent } from '../../../../scripts/demo/story/story.ts';
import { readTree } from '../../../tidy/tree.ts';

type Timed = readonly [atMs: number, event: StoryEvent];

const logged = (node: string, message: string, fields: Record<string, unknown> = {}): StoryEvent => ({
  kind: 'logged',
  node,
  message,
  fields,
});
const died = (name: string, how: Ending = { kind: 'signal', signal: 'SIGKILL' }, word = ''): StoryEvent => ({
  kind: 'ended',
  name,
  how,
  lastWords: [word],
  next: { kind: 'startsAgain', inMs: 250 },
});
const owns = (node: string, reason = 'first publish'): StoryEvent =>
  logged(node, heard.owns, { stream: 'demo', reason });
const ready: Timed = [0, { kind: 'ready' }];

/** All that is told, in order. */
function storyOf(events: readonly Timed[]): readonly string[] {
  let story = newStory();
  return events.flatMap(([atMs, event]) => {
    const told = tell(story, event, atMs);
    story = told.story;
    return told.lines;
  });
}

test('a killed owner: its death, its successor and after what time, its return', () => {
  const lines = storyOf([
    [0, owns('n-node-1')],
    ready,
    [1000, died('n-node-1')],
    [1800, owns('n-node-2', 'owner died (n-node-1)')],
    [1900, logged('n-node-2', heard.memberGone, { member: 'n-node-1', bootId: 'b1', why: 'died' })],
    [3100, logged('n-node-1', heard.isListening)],
  ]);
  expect(lines).toEqual([
    'n-node-1 died (signal SIGKILL); started again',
    'n-node-2 owns demo after 0.8 s (owner died (n-node-1))',
    'n-node-1 is back after 2.1 s',
  ]);
});

test('a link that is cut is told once for each direction, and when it works again', () => {
  const down = (node: string, to: string) => logged(node, heard.linkDown, { to, why: 'no answer' });
  const up = (node: string, to: string) => logged(node, heard.linkUp, { to });
  const lines = storyOf([
    [0, down('a-node-1', 'b')],
    [1, up('a-node-1', 'b')],
    ready,
    [1000, down('a-node-2', 'b')],
    [1100, down('a-node-1', 'b')],
    [1200, down('b-node-1', 'a')],
    [5000, up('a-node-1', 'b')],
    [5100, up('a-node-2', 'b')],
  ]);
  expect(lines).toEqual([
    'a-node-2 does not reach b (no answer): a goes on by itself',
    'b-node-1 does not reach a (no answer): b goes on by itself',
    'a-node-1 reaches b again after 4.0 s',
  ]);
});

test('a node that is frozen is told once, whoever notices', () => {
  const gone = { member: 'n-node-1', bootId: 'b1', why: 'died' };
  const lines = storyOf([
    ready,
    [1000, logged('n-node-2', heard.memberGone, gone)],
    [1001, logged('n-node-3', heard.memberGone, gone)],
    [6000, logged('n-node-1', heard.stoodStill, { frozenMs: 5123 })],
    [6001, logged('n-node-1', heard.stoodStill, { frozenMs: 3 })],
  ]);
  expect(lines).toEqual([
    'n-node-1 does not answer: the others go on without it',
    'n-node-1 stood still for 5.1 s',
  ]);
});

test('NATS goes and comes once, though each node says so', () => {
  const lines = storyOf([
    ready,
    [1000, logged('n-node-1', heard.natsGone)],
    [1010, logged('n-node-2', heard.natsGone)],
    [4000, logged('n-node-2', heard.natsBack)],
    [4200, logged('n-node-1', heard.natsBack)],
  ]);
  expect(lines).toEqual([
    expect.stringMatching(/^NATS of n does not answer: /),
    'NATS of n is back after 3.2 s',
  ]);
});

test('a node that died without NATS is not waited for: NATS is back when those that live have it', () => {
  const lines = storyOf([
    ready,
    [1000, logged('n-node-1', heard.natsGone)],
    [1000, logged('n-node-2', heard.natsGone)],
    [2000, died('n-node-1')],
    [3000, logged('n-node-2', heard.natsBack)],
  ]);
  expect(lines.at(-1)).toBe('NATS of n is back after 2.0 s');
});

test('regions have each a NATS and an owner of their own', () => {
  const lines = storyOf([
    ready,
    [1, owns('region-1-node-1')],
    [2, owns('region-2-node-1')],
    [1000, logged('region-1-node-1', heard.natsGone)],
    [1500, logged('region-2-node-1', heard.natsGone)],
    [2000, logged('region-1-node-1', heard.natsBack)],
    [3000, died('region-1-node-1')],
    [4000, owns('region-2-node-2')],
  ]);
  expect(lines).toEqual([
    'region-1-node-1 owns demo (first publish)',
    'region-2-node-1 owns demo (first publish)',
    expect.stringMatching(/^NATS of region-1 does not answer: /),
    expect.stringMatching(/^NATS of region-2 does not answer: /),
    'NATS of region-1 is back after 1.0 s',
    'region-1-node-1 died (signal SIGKILL); started again',
    'region-2-node-2 owns demo (first publish)',
  ]);
});

test('what a node waits for is told from the start on, with why', () => {
  const waits = { waitsFor: 'the segment store', seconds: 10, why: 'connect ECONNREFUSED' };
  expect(storyOf([[0, logged('n-node-1', heard.waits, waits)]])).toEqual([
    'n-node-1 has waited 10 s for the segment store (connect ECONNREFUSED)',
  ]);
});

test('a crash loop is said, with its last words and when the next try is', () => {
  const crash = died('n-node-1', { kind: 'code', code: 1 }, 'tangaza: NATS is too old');
  const lines = storyOf([ready, [1000, crash], [2000, crash], [3000, crash]]);
  expect(lines).toEqual([
    'n-node-1 died (exit code 1): tangaza: NATS is too old; started again',
    'n-node-1 died (exit code 1): tangaza: NATS is too old; started again',
    'n-node-1 died (exit code 1): tangaza: NATS is too old; the 3rd time in a minute; tried again in 0.3 s',
  ]);
});

test('last words show no stream key', () => {
  const [line] = storyOf([
    ready,
    [
      1,
      died('publisher', { kind: 'code', code: 1 }, 'rtmp://127.0.0.1:1935/live/demo_abc: Input/output error'),
    ],
  ]);
  expect(line).toContain('rtmp://127.0.0.1:1935/live/[key]: Input/output error');
});

test('publishers, refusals, drains and the store, one line each', () => {
  const lines = storyOf([
    ready,
    [1, logged('n1', heard.published, { streamId: 'demo', remoteAddress: '10.0.0.1', encoder: 'OBS' })],
    [2, logged('n1', heard.unpublished, { streamId: 'demo', reason: 'the connection was lost' })],
    [3, logged('n1', heard.refused, { code: 'STREAM_KEY_UNKNOWN', detail: 'The stream key is not known.' })],
    [4, logged('n1', heard.drains)],
    [5, logged('n1', heard.drained)],
    [6, logged('n1', heard.storeFails, { code: 'STORE_FULL', detail: 'ENOSPC' })],
    [7, logged('n1', heard.storeWorks)],
    [8, logged('n1', 'anything else')],
  ]);
  expect(lines).toEqual([
    'a publisher of demo connected to n1 (10.0.0.1, OBS)',
    'the publisher of demo left n1 (the connection was lost)',
    'n1 refused an RTMP connection: The stream key is not known. (STREAM_KEY_UNKNOWN)',
    'n1 drains',
    'n1 has drained',
    'n1: the segment store fails (ENOSPC)',
    'n1: the segment store works again',
  ]);
});

test('a flood is cut, counted and named once', () => {
  const refusal = logged('n1', heard.refused, { code: 'X', detail: 'no' });
  const many = Array.from({ length: 40 }, (_, index): Timed => [index, refusal]);
  const lines = storyOf([
    ready,
    ...many,
    [floods.withinMs, { kind: 'tick' }],
    [2 * floods.withinMs, { kind: 'tick' }],
  ]);
  expect(lines).toEqual([
    ...Array.from({ length: floods.most }, () => 'n1 refused an RTMP connection: no (X)'),
    'refusals at n1: 37 more of these in 10 s; see the logs',
  ]);
});

test('before all is ready, and while it stops, nothing of the expected is told', () => {
  const published = logged('n-node-1', heard.published, { streamId: 'demo' });
  const stopped: StoryEvent = {
    kind: 'ended',
    name: 'n-node-1',
    how: { kind: 'code', code: 0 },
    lastWords: [],
    next: { kind: 'wasStopped' },
  };
  expect(
    storyOf([
      [0, published],
      [1, owns('n-node-1')],
      ready,
      [2, { kind: 'stopping' }],
      [3, logged('n-node-1', heard.unpublished, {})],
      [4, logged('n-node-1', heard.drains)],
      [5, stopped],
    ]),
  ).toEqual([]);
});

test('every line that is listened for is one that a node logs', () => {
  const code = readTree()
    .filter(({ path }) => /^(actors|cluster|config)\/|^moleculer/.test(path))
    .map(({ text }) => text)
    .join('\n');
  expect(Object.values(heard).filter((message) => !code.includes(`'${message}'`))).toEqual([]);
});
