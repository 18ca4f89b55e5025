/** What a verified token says: who somebody is, and what they may do (A12, A13). */
import { expect, test } from 'vitest';
import { accountIdOf, accountOf, guestOf } from '../../../../../actors/comments/identity/claims.ts';
import {
  allPermissions,
  isStaff,
  mayDo,
  mustBeAllowed,
  mustBeFor,
} from '../../../../../actors/comments/identity/permissions.ts';
import { StreamId } from '../../../../../cluster/model/ids.ts';

const [news, sport] = [StreamId.parse('news'), StreamId.parse('sport')];
const exp = 1_800_000_000;
const account = (claims: object) => accountOf({ sub: 'u1', name: 'Ann', exp, ...claims });
const codeOf = (run: () => unknown): unknown => {
  try {
    run();
    return 'none';
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  }
};

test('a subject that can stand in an id is the id of its account', () => {
  expect(accountIdOf('u_1-Z')).toBe('a-u_1-Z');
});

test('any other subject gives its hash', () => {
  const ids = ['ann@example.com', 'auth0|12', 'ü', 'x'.repeat(65), 'operator'].map(accountIdOf);
  for (const id of ids) expect(id).toMatch(/^a-[A-Za-z0-9_-]{43}$/);
  expect(new Set(ids).size).toBe(ids.length);
});

// Where people choose their subject, one could choose the hash of another's.
test('nobody takes the id of another by a subject that looks like its hash', () => {
  const victim = accountIdOf('ann@example.com');
  expect(accountIdOf(victim.slice(2))).not.toBe(victim);
});

test("no account has the operator's id", () => {
  expect(accountIdOf('operator')).not.toBe('a-operator');
});

test('roles and permissions of ours count, and those of other services do not', () => {
  const granted = (claims: object) => account(claims).permissions;
  expect(granted({})).toEqual([]);
  expect(granted({ roles: ['moderator', 'uma_authorization'] })).toEqual([
    'comment.hide',
    'comment.release',
    'user.ban',
    'stream.mode',
    'audit.read',
  ]);
  expect(granted({ roles: ['administrator'] })).toEqual(allPermissions);
  expect(granted({ permissions: ['comment.hide', 'read:all'] })).toEqual(['comment.hide']);
  expect(granted({ roles: ['constructor', '__proto__'] })).toEqual([]);
});

test('an account is called by its name, or by the name that it prefers', () => {
  expect(account({}).user).toEqual({ id: 'a-u1', name: 'Ann', kind: 'account' });
  expect(account({ name: undefined, preferred_username: 'annie' }).user.name).toBe('annie');
  expect(account({ name: 'An\u202En' }).user.name).toBe('Ann');
});

test.each([
  ['no name', { name: undefined }],
  ['a name that nobody sees', { name: '\u200B' }],
  ['no subject', { sub: undefined }],
  ['an empty subject', { sub: '' }],
  ['a subject that is a list', { sub: ['u1'] }],
  ['a stream that is none', { stream: '../x' }],
  ['roles that are no list', { roles: 'moderator' }],
  ['no expiry', { exp: undefined }],
])('claims with %s make no account', (_, claims) => {
  expect(codeOf(() => account(claims))).toBe('UNAUTHENTICATED');
});

test('a guest has no permission, whatever the claims say', () => {
  const guest = guestOf({
    sub: 'g-1',
    name: 'Ann',
    exp,
    roles: ['administrator'],
    permissions: ['user.ban'],
  });
  expect(guest).toEqual({
    user: { id: 'g-1', name: 'Ann', kind: 'guest' },
    permissions: [],
    expiresAt: '2027-01-15T08:00:00.000Z',
  });
  expect(isStaff(guest)).toBe(false);
  expect(codeOf(() => guestOf({ sub: 'a-1', name: 'Ann', exp }))).toBe('UNAUTHENTICATED');
});

test('a permission counts on the stream of its token alone', () => {
  const scoped = account({ roles: ['administrator'], stream: 'news' });
  expect({
    news: mayDo(scoped, 'user.ban', news),
    sport: mayDo(scoped, 'user.ban', sport),
    everywhere: mayDo(scoped, 'user.erase', undefined),
  }).toEqual({ news: true, sport: false, everywhere: false });
  expect(codeOf(() => mustBeFor(scoped, sport))).toBe('FORBIDDEN');
  expect(codeOf(() => mustBeAllowed(scoped, 'user.ban', sport))).toBe('FORBIDDEN');
  expect(codeOf(() => mustBeAllowed(scoped, 'user.ban', news))).toBe('none');
});

test('a permission that was not given is refused by its name', () => {
  const moderator = account({ roles: ['moderator'] });
  expect(() => mustBeAllowed(moderator, 'user.erase', undefined)).toThrow('user.erase');
  expect(codeOf(() => mustBeAllowed(moderator, 'user.ban', news))).toBe('none');
});
