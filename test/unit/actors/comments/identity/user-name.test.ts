/** Names of users: one visible line, and no tricks. */
import { expect, test } from 'vitest';
import { cleanGuestName, cleanName } from '../../../../../actors/comments/identity/user-name.ts';
import { codeOf } from '../../../../support/ingest/stream-feed.ts';

test.each([
  ['blanks around', '  Ann  ', 'Ann'],
  ['several lines', 'Ann\n\tLee\u2028x', 'Ann Lee x'],
  ['two ways to write one letter', 'A\u0308nne', 'Änne'],
  ['overrides of direction', 'Ann\u202Egpj.exe', 'Anngpj.exe'],
  ['isolates of direction', '\u2066Ann\u2069', 'Ann'],
  ['signs without width', 'A\u200Bn\uFEFFn\u2060', 'Ann'],
  ['joiners in Latin letters', 'A\u200Dn\u200Cn', 'Ann'],
  ['control characters', 'A\u0000n\u001B[31mn', 'An[31mn'],
  ['soft hyphens and fillers', 'A\u00ADn\u3164n\u2800', 'Ann'],
  ['half a surrogate pair', 'Ann\uD83D', 'Ann'],
  ['invisible tags', 'Ann\u{E0041}', 'Ann'],
  ['piled marks', `A${'\u0316'.repeat(60)}`, `A${'\u0316'.repeat(4)}`],
])('of a name with %s the readable part is kept', (_, given, name) => {
  expect(cleanName(given)).toBe(name);
});

test.each([
  ['Persian with a joiner', 'علی\u200Cرضا'],
  ['Hindi', 'श्री'],
  ['Chinese', '观众'],
  ['an emoji', '🦊'],
  ['markup, which pages escape', '<b>Ann</b>'],
])('a name in %s stays as it is', (_, name) => {
  expect(cleanName(name)).toBe(name);
});

test('cleaning twice changes nothing', () => {
  for (const name of ['\u202E Ann \u200B Lee', 'A\u0308 \u200D', `x${'\u0301'.repeat(9)}\u200D\u200Dy`])
    expect(cleanName(cleanName(name))).toBe(cleanName(name));
});

test.each(['', ' \n ', '\u200B', '\u3164', '\u0301', '\u{E0041}', 'x'.repeat(41)])(
  'the name %j is refused',
  async (name) => {
    expect(await codeOf(Promise.resolve(name).then(cleanName))).toBe('TEXT_REFUSED');
  },
);

test.each([
  'Moderator',
  'the moderators',
  'ADMIN',
  'Αdmin',
  '4dm1n',
  'T.a.n.g.a.z.a',
  'Operator',
  'Ｓｔａｆｆ',
  'mod team',
])('a guest cannot be called %s', async (name) => {
  expect(await codeOf(Promise.resolve(name).then(cleanGuestName))).toBe('TEXT_REFUSED');
});

test("half a surrogate pair in a guest's name is refused, as it is in a comment", async () => {
  expect(await codeOf(Promise.resolve('Ann\uD83D').then(cleanGuestName))).toBe('BAD_REQUEST');
});

test.each(['Modesty', 'Adminka', 'Thea', 'Stafford', 'Operato', 'Модест'])(
  'a guest may be called %s',
  (name) => {
    expect(cleanGuestName(name)).toBe(name);
  },
);
