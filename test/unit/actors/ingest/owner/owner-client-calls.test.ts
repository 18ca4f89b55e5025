/** What a session tells its owners and hears from them: under which epoch, of its twin, and when it has one looked at. */
import { expect, test } from 'vitest';
import { NodeId, Sha256 } from '../../../../../cluster/model/ids.ts';
import { period, recent, scriptedScene } from '../../../../support/ingest/scripted-owner.ts';
import { codeOf } from '../../../../support/ingest/stream-feed.ts';

const input = { bitrateBps: 1, lastPacketAgeMs: 0, warnings: [] };
const question = { sequenceHeaderHash: Sha256.parse('a'.repeat(64)), connectionZeroMs: 0, wallZeroMs: 0 };

// Method: an owner that does not know the session says nothing of a twin, as a successor before the session has come.
test('whether it had a twin is told to the next owner as the last that knew it said', async () => {
  const { owner, client } = scriptedScene();
  for (const twin of [{}, { hasTwin: true }, {}, { hasTwin: false }]) {
    owner.twin = twin;
    await client.input(input);
    await client.ownerGone();
  }
  expect(owner.attached.map(({ hadTwin }) => hadTwin)).toEqual([undefined, true, true, undefined]);
});

test('reports, periods and the farewell go out under the epoch of the last owner that was attached to', async () => {
  const { owner, client } = scriptedScene();
  await client.input(input);
  owner.epoch = 3;
  await client.ownerGone();
  await client.input(input);
  await client.openPeriod(question);
  await client.detach('test');
  expect({ under: owner.under, epoch: client.epoch }).toEqual({ under: [1, 3, 3, 3], epoch: 3 });
});

test('a session that the owner compares is a candidate until it has opened a period', async () => {
  const { owner, client } = scriptedScene();
  owner.openRefusal = () => 'TWIN_PENDING';
  expect(await codeOf(client.openPeriod(question))).toBe('TWIN_PENDING');
  expect(client.isCandidate).toBe(true);
  owner.openRefusal = () => undefined;
  await client.openPeriod(question);
  client.opened(period);
  expect(client.isCandidate).toBe(false);
});

// An offer that is made again waits for the twin of another session's tail; this session itself is not compared.
test('an offer that must wait makes no candidate of the session, also when a period waits for the offer', async () => {
  const { owner, client } = scriptedScene();
  await client.offer(recent(0));
  owner.epoch = 2;
  owner.refusal = () => 'TWIN_PENDING';
  await client.ownerGone();
  expect(await codeOf(client.openPeriod(question))).toBe('TWIN_PENDING');
  expect(client.isCandidate).toBe(false);
});

test('an owner whose log does not show what it accepted is looked at, and left for the one that is found', async () => {
  const { clock, owner, client } = scriptedScene();
  await client.input(input);
  await client.offer(recent(0));
  clock.nowMs += 1499;
  await client.look();
  expect(owner.looks).toBe(0);
  clock.nowMs += 1;
  await client.look();
  expect({ looks: owner.looks, epoch: client.epoch }).toEqual({ looks: 1, epoch: 1 });
  Object.assign(owner, { epoch: 2, found: { owner: NodeId.parse('n2') } });
  await client.look();
  expect({ epoch: client.epoch, again: owner.takenUnder(2) }).toEqual({ epoch: 2, again: [0] });
});

test('an owner whose log moves is not looked at', async () => {
  const { clock, owner, client } = scriptedScene();
  await client.input(input);
  await client.offer(recent(0));
  clock.nowMs += 9000;
  owner.sequence += 1;
  await client.input(input);
  await client.look();
  expect(owner.looks).toBe(0);
});

test.each([
  { code: 'OVERLOADED', looks: 1 },
  { code: 'CONFLICT', looks: 0 },
] as const)(
  'an owner that answers $code to every offer is looked at $looks times',
  async ({ code, looks }) => {
    const { clock, owner, client } = scriptedScene();
    owner.refusal = () => code;
    for (let tries = 0; tries < 3; tries += 1) {
      expect(await codeOf(client.offer(recent(0)))).toBe(code);
      clock.nowMs += 700;
    }
    await client.look();
    expect(owner.looks).toBe(looks);
  },
);
