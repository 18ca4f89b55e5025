import { expect, test } from 'vitest';
import { describeChecks, isAtLeast, judge, needsOf, pinnedVersions } from '../../../scripts/doctor.ts';

const need = { name: 'nats-server', why: 'for messages', wanted: '2.10.27', remedy: 'install it' };

test.each([
  ['2.10.27', '2.10.27', true],
  ['2.10.27', '2.11', true],
  ['2.10.27', '2.10.3', false],
  ['5.1', '5.1.9', true],
  ['24', '20.20.2', false],
  ['2.38', '2.4', false],
])('at least %s: %s is %s', (least, actual, expected) => {
  expect(isAtLeast(least, actual)).toBe(expected);
});

test('what is not there is missing, what is older is old, and both say what to do', () => {
  expect(judge(need, undefined)).toMatchObject({ state: 'missing', remedy: 'install it' });
  expect(judge(need, '2.9.10')).toMatchObject({ state: 'old', found: '2.9.10', remedy: 'install it' });
  expect(judge(need, '2.12.1')).toMatchObject({ state: 'ok', remedy: '' });
});

test('a need without a version is met by whatever is found', () => {
  expect(judge({ ...need, wanted: 'any' }, '/usr/bin/chromium').state).toBe('ok');
});

test('the conclusion names what is missing', () => {
  const checks = [judge(need, undefined), judge({ ...need, name: 'ffmpeg' }, '6.0')];
  expect(describeChecks(checks, 'start').at(-1)).toBe("Missing for 'start': nats-server.");
  expect(describeChecks([], 'test').at(-1)).toBe("Nothing is missing for 'test'.");
});

test('the versions are read from the head of scripts/setup', () => {
  expect(pinnedVersions("NODE_VERSION=24.21.0\nNODE_SUM='x'\nroot=/\n  GO=1\n")).toEqual({
    NODE_VERSION: '24.21.0',
  });
});

// As it once was: "Nothing is missing for 'bench'", and `scripts/setup --for bench` installed wrk.
test('what set-up installs for benchmarks alone is looked for', () => {
  const names = needsOf({}).flatMap((one) => (one.for.includes('bench') ? [one.name] : []));
  expect(names).toEqual(expect.arrayContaining(['nginx', 'wrk']));
});
