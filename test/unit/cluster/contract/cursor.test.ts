import { expect, test } from 'vitest';
import { cursorOf, placeOfCursor } from '../../../../cluster/contract/api/cursor.ts';
import { StreamId } from '../../../../cluster/model/ids.ts';

const place = { createdAtMs: 1_700_000_000_000, id: StreamId.parse('news') };

test('a cursor gives its place back, and is no plain id', () => {
  expect(placeOfCursor(cursorOf(place))).toEqual(place);
  expect(cursorOf(place)).not.toContain('news');
});

test.each([
  'news',
  '',
  cursorOf(place).slice(1),
  `${cursorOf(place)}=`,
  `${cursorOf(place)} `,
  Buffer.from('s2:1:news').toString('base64url'),
  Buffer.from('s1:x:news').toString('base64url'),
  Buffer.from('s1:1:NEWS').toString('base64url'),
  Buffer.from('s1:01:news').toString('base64url'),
])('%j is no cursor', (cursor) => {
  expect(placeOfCursor(cursor)).toBeUndefined();
});
