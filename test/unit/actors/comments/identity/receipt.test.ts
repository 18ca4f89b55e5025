/** What receipts say, before anything is signed (A6). */
import { expect, test } from 'vitest';
import type { Accepted, Resent } from '../../../../../actors/comments/identity/identity.ts';
import { acceptedOf, receiptHours, receiptTextOf } from '../../../../../actors/comments/identity/receipt.ts';
import { ClientId, CommentId, RegionId, StreamId, UserId } from '../../../../../cluster/model/ids.ts';

const streamId = StreamId.parse('news');
const idOf = (digit: string): CommentId => CommentId.parse(`news~${digit.repeat(26)}`);
const nowMs = 1_800_000_000_000;
const hourMs = 3_600_000;

const resent: Resent = {
  streamId,
  authorId: UserId.parse('g-1'),
  clientId: ClientId.parse('01890a5d-ac96-774b-bcce-b302099a8057'),
  text: 'Hello \u{1F98A} "quoted" \\',
  parentId: idOf('2'),
  mediaTime: 12.5,
};
const { authorId, ...said } = resent;
const accepted: Accepted = {
  body: {
    ...said,
    id: idOf('3'),
    author: { id: authorId, name: 'Ann', isStaff: true },
    createdAtMs: nowMs - 5000,
    rootId: idOf('1'),
    path: [idOf('1'), idOf('2')],
    region: RegionId.parse('r1'),
  },
  isHeld: true,
};
const receipt = receiptTextOf(accepted, nowMs);

test('a receipt and what is sent again give the whole row', () => {
  expect(acceptedOf(receipt, resent, nowMs + 23 * hourMs)).toEqual(accepted);
});

test('of a plain comment nothing is made up', () => {
  const { parentId: _, mediaTime: __, ...plain } = resent;
  const { authorId: id, ...rest } = plain;
  const row: Accepted = {
    body: {
      ...rest,
      id: idOf('3'),
      author: { id, name: 'Ann' },
      createdAtMs: 1,
      path: [],
      region: RegionId.parse('r1'),
    },
    isHeld: false,
  };
  expect(acceptedOf(receiptTextOf(row, nowMs), plain, nowMs)).toEqual(row);
});

test.each<[string, Partial<Resent>]>([
  ['another text', { text: 'Bye' }],
  ['another stream', { streamId: StreamId.parse('sport') }],
  ['another author', { authorId: UserId.parse('g-2') }],
  ['another clientId', { clientId: ClientId.parse('01890a5d-ac96-774b-bcce-b302099a8058') }],
  ['another parent', { parentId: idOf('4') }],
  ['no parent', { parentId: undefined }],
  ['another media time', { mediaTime: 12.6 }],
])('a receipt does not count for %s', (_, change) => {
  expect(acceptedOf(receipt, { ...resent, ...change }, nowMs)).toBeUndefined();
});

test('a receipt counts for a day', () => {
  const lastMs = nowMs + receiptHours * hourMs;
  expect(acceptedOf(receipt, resent, lastMs - 1)).toBeDefined();
  expect(acceptedOf(receipt, resent, lastMs)).toBeUndefined();
});

test('a text that is no receipt is none', () => {
  for (const text of ['', 'null', '{}', '[1]', 'x'.repeat(1000)])
    expect(acceptedOf(text, resent, nowMs)).toBeUndefined();
});

test('the longest receipt leaves room for its signature, and for the proof of one that shares it', () => {
  const path = Array.from({ length: 8 }, (_, level) => idOf(String(level)));
  const author = { id: authorId, name: '\u{1F98A}'.repeat(40), isStaff: true };
  const region = RegionId.parse('r'.repeat(64));
  const longest = receiptTextOf({ body: { ...accepted.body, path, author, region }, isHeld: true }, nowMs);
  expect(Buffer.from(longest).toString('base64url').length).toBeLessThan(2000 - 350 - 280);
});
