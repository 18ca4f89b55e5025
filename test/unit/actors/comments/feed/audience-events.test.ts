import { expect, test } from 'vitest';
import { eventText, eventVersion, readEvent } from '../../../../../actors/comments/feed/audience-events.ts';
import { allStreams } from '../../../../../cluster/contract/api/moderation-views.ts';
import { BootId, NodeId, StreamId } from '../../../../../cluster/model/ids.ts';
import { commentStream, storedComment } from '../../../../support/ports/stores/stored-comments.ts';

const event = {
  node: NodeId.parse('n1'),
  bootId: BootId.parse('b1'),
  number: 3,
  previous: 2,
  firstAtMs: 7,
  change: { kind: 'added', comment: storedComment() },
} as const;
const said: unknown = JSON.parse(eventText(event));
const saidWith = (fields: object): string => JSON.stringify(Object.assign({}, said, fields));

test('what is written is read', () => {
  expect(readEvent(eventText(event), commentStream)).toEqual({ kind: 'event', event });
});

test('that a user was erased is read, and that a comment is', () => {
  const userId = event.change.comment.author.id;
  const all = { ...event, change: { kind: 'erased', streamId: allStreams, userId, atMs: 7 } } as const;
  expect(readEvent(eventText(all), allStreams)).toEqual({ kind: 'event', event: all });
  expect(readEvent(eventText(all), commentStream)).toEqual({ kind: 'bad' });
  const comment = { ...event.change.comment, text: '', isErased: true };
  const one = { ...event, change: { kind: 'changed', comment } } as const;
  expect(readEvent(eventText(one), commentStream)).toEqual({ kind: 'event', event: one });
});

// Version 1 knew neither `replicated` nor `erased` nor `readToMs`: a node of before reads the store instead of taking them for broken.
test('events bear a version that nodes of before do not know, and what those write is read', () => {
  expect(said).toMatchObject({ version: 2 });
  expect(readEvent(saidWith({ version: 1 }), commentStream)).toEqual({ kind: 'event', event });
});

test('what a newer node adds to it does not matter, and what it writes in another way is known as that', () => {
  expect(readEvent(saidWith({ more: 1 }), commentStream).kind).toBe('event');
  expect(readEvent(saidWith({ version: eventVersion + 1, change: 7 }), commentStream)).toEqual({
    kind: 'newer',
  });
});

test.each([
  ['no JSON', '{'],
  ['nothing', ''],
  ['a number', '7'],
  ['no version', '{}'],
  ['no sender', saidWith({ node: 'N 1' })],
  ['no number', saidWith({ number: 'one' })],
  ['an unknown change', saidWith({ change: { kind: 'burnt' } })],
  ['half a comment', saidWith({ change: { kind: 'added', comment: { id: event.change.comment.id } } })],
])('%s is bad', (_, text) => {
  expect(readEvent(text, commentStream)).toEqual({ kind: 'bad' });
});

test('a comment of another stream than the one that it came for is bad', () => {
  expect(readEvent(eventText(event), StreamId.parse('other'))).toEqual({ kind: 'bad' });
});

test('which comments another region has is told with whose they are', () => {
  const { id, clientId, author, streamId } = event.change.comment;
  const change = { kind: 'replicated', streamId, comments: [{ id, clientId, authorId: author.id }] } as const;
  const told = { ...event, change };
  expect(readEvent(eventText(told), commentStream)).toEqual({ kind: 'event', event: told });
});
