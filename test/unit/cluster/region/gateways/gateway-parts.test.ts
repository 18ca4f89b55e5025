/** What a gateway decides with: interests, bounds, signatures, clocks and words (R2). */
import { expect, test } from 'vitest';
import { TangazaError } from '../../../../../cluster/errors/tangaza-error.ts';
import { BootId, NodeId, RegionId } from '../../../../../cluster/model/ids.ts';
import { CrossingGuard, type Refusal } from '../../../../../cluster/region/gateways/crossing-guard.ts';
import { RegionClock } from '../../../../../cluster/region/gateways/hello.ts';
import {
  beyondBound,
  Interests,
  leftOutWords,
  partsOf,
  topicOf,
  type Interest,
} from '../../../../../cluster/region/gateways/interests.ts';
import { longestPauseMs, WrongSecret, wordsOf } from '../../../../../cluster/region/gateways/link-faults.ts';
import { Prover } from '../../../../../cluster/region/gateways/proof.ts';
import { topologyOfOne } from '../../../../../cluster/region/topology/topology.ts';
import { echo, greeting, testAllowList } from '../../../../support/regions/crossings.ts';

const [eu, us] = [RegionId.parse('eu'), RegionId.parse('us')];
const named = (name: string, message = 'x') => Object.assign(new Error(message), { name });
const tells = (node: string, topics: string[], isWhole = true): Interest => ({
  node: NodeId.parse(node),
  bootId: BootId.parse(`boot-${node}`),
  other: us,
  topics,
  isWhole,
});

test('what any node listens to is wanted, until none does or they fall silent', () => {
  const interests = new Interests();
  interests.note(tells('a', ['rec.one']), 0);
  interests.note(tells('b', ['rec.one', 'on-air']), 1000);
  interests.note(tells('a', ['rec.two'], false), 1000);
  expect([...interests.all(1000)].toSorted()).toEqual(['on-air', 'rec.one', 'rec.two']);
  interests.note(tells('a', []), 2000);
  expect([...interests.all(2000)].toSorted()).toEqual(['on-air', 'rec.one']);
  expect([...interests.all(9000)]).toEqual([]);
});

test('what comes to a list of an earlier life does not bring that one back', () => {
  const interests = new Interests();
  interests.note(tells('a', ['rec.one']), 0);
  interests.note({ ...tells('a', ['rec.two'], false), bootId: BootId.parse('second') }, 1);
  expect([...interests.all(1)]).toEqual(['rec.two']);
});

test('interests are bounded for each node and in all, and what is left out is counted', () => {
  const interests = new Interests();
  const many = (node: number) => Array.from({ length: 6000 }, (_, index) => `rec.s${node}-${index}`);
  for (let node = 0; node < 6; node++) interests.note(tells(`n${node}`, many(node)), 0);
  expect({ wanted: interests.all(0).size, leftOut: interests.leftOut }).toEqual({
    wanted: 20_000,
    leftOut: 10_000,
  });
});

test('what does not fit into the list of a node is not carried for a moment either, and operators are told', () => {
  const interests = new Interests();
  const many = Array.from({ length: 5001 }, (_, index) => `rec.s${index}`);
  interests.note(tells('a', many.slice(0, 4999)), 0);
  expect(interests.note(tells('a', ['rec.fits', 'rec.beyond'], false), 0)).toEqual(['rec.fits']);
  expect({ beyond: beyondBound(many), within: beyondBound(many.slice(1)) }).toEqual({ beyond: 1, within: 0 });
  expect(leftOutWords(us, { byNode: 0, byRegion: 0 })).toEqual([]);
  expect(leftOutWords(us, { byNode: 1, byRegion: 7 })).toEqual([
    expect.stringMatching(/^this node wants 1 events of region us more than a node may have \(5000\)/),
    expect.stringMatching(/^the nodes of this region want 7 .* more than gateways carry \(20000\)/),
  ]);
});

test('a topic is a name, or a name and a stream; a stream that is no part of a subject is refused', () => {
  expect(partsOf(topicOf('rec', 'demo'))).toEqual({ name: 'rec', key: 'demo' });
  expect(partsOf(topicOf('on-air', undefined))).toEqual({ name: 'on-air', key: 'on-air' });
  for (const wrong of ['a.b', '>', '*', '', 'x y']) expect(() => topicOf('rec', wrong)).toThrow();
});

test('a guard lets pass what is listed, within its size and rate, and nothing else', () => {
  const guard = new CrossingGuard(testAllowList);
  const told: Refusal[] = [];
  const ask = (name: string, bytes: number): void =>
    guard.call(name, bytes, 0, (refusal) => told.push(refusal));
  expect(() => ask('unheard-of', 1)).toThrow(/No call unheard-of/);
  expect(() => ask(echo.name, echo.maxBytes + 1)).toThrow(/longer/);
  for (let index = 0; index < echo.perSecond; index++) ask(echo.name, echo.maxBytes);
  expect(() => ask(echo.name, 1)).toThrow(/too often/);
  expect(told).toEqual(['unknown', 'too_long', 'too_often']);
  expect(guard.event(greeting.name, greeting.maxBytes + 1, 0)).toBe('too_long');
  expect(guard.event(echo.name, 1, 0)).toBe('unknown');
});

test('a call is read by who has the same secret, and by nobody when a byte of it differs', () => {
  const [ours, theirs] = [new Prover('a secret'), new Prover('another secret')];
  const head = { from: eu, to: us, name: 'echo', deadlineUtcMs: 5 };
  const text = ours.write({ head, params: '{"text":"hello"}' });
  expect(ours.read(text)).toEqual({ head, params: '{"text":"hello"}' });
  expect(theirs.read(text)).toBe('stranger');
  expect(ours.read(text.replace('hello', 'hallo'))).toBe('stranger');
  for (const garbage of ['', '\n', '\n\n', 'x\n{}\n', `${text.slice(0, 64)}\nnull\n`])
    expect(ours.read(garbage)).toBe('garbage');
});

test('the offset of a clock comes from the shortest round trip, and anew when a clock has jumped', () => {
  const clock = new RegionClock();
  expect(clock.offsetMs()).toBe(undefined);
  clock.note(0, 400, 30_300);
  clock.note(1000, 10, 31_005);
  expect(clock.offsetMs()).toBe(30_000);
  clock.note(2000, 20, 2010);
  expect(clock.offsetMs()).toBe(0);
});

test('every fault of a link is said in words that name the region, its address and what to do', () => {
  const [region] = topologyOfOne(us, 1).regions;
  if (region === undefined) throw new Error('no region');
  const other = { ...region, gateway: { ...region.gateway, natsUrls: ['tls://me:secret@nats.us:4222'] } };
  const said = {
    secret: wordsOf(new WrongSecret(), other),
    authority: wordsOf(Object.assign(new Error('x'), { code: 'SELF_SIGNED_CERT_IN_CHAIN' }), other),
    inside: wordsOf(
      new Error('x', { cause: Object.assign(new Error('y'), { code: 'CERT_HAS_EXPIRED' }) }),
      other,
    ),
    refused: wordsOf(
      new Error('7F:error:0A:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca:../x.c:9:'),
      other,
    ),
    user: wordsOf(named('AuthorizationError'), other),
    rights: wordsOf(named('PermissionViolationError'), other),
    nobody: wordsOf(new Error('no responders', { cause: named('NoRespondersError') }), other),
    silent: wordsOf(new Error('timeout'), other),
  };
  expect(said).toEqual({
    secret: expect.stringContaining('secrets.json'),
    authority: expect.stringContaining('another authority'),
    inside: expect.stringContaining('has expired'),
    refused: expect.stringMatching(/\(tlsv1 alert unknown ca\): look at ca, cert and key/),
    user: expect.stringContaining('credentials'),
    rights: expect.stringContaining('we must be its user gateway'),
    nobody: expect.stringContaining('no node of region us answers'),
    silent: expect.stringContaining('does not answer'),
  });
  for (const words of Object.values(said))
    expect(words).toEqual(expect.stringMatching(/^(?!.*secret@).*nats\.us:4222/));
});

test('a link that nobody answers is tried again within half a second, one that is refused within five', () => {
  const silent = [undefined, new Error('timeout'), named('NoRespondersError'), named('ConnectionError')];
  const refused = [new WrongSecret(), new TangazaError('FORBIDDEN', 'x'), named('AuthorizationError')];
  expect({ silent: silent.map(longestPauseMs), refused: refused.map(longestPauseMs) }).toEqual({
    silent: [500, 500, 500, 500],
    refused: [5000, 5000, 5000],
  });
});
