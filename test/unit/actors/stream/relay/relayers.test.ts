/** The relayers of a region's nodes: which of them relays what, for how long, and what follows when one is gone or a link is cut (R4). */
import { expect, test } from 'vitest';
import { readLog } from '../../../../../cluster/contract/regions/log.ts';
import { RegionId, StreamId } from '../../../../../cluster/model/ids.ts';
import { settled } from '../../../../support/regions/hand-clock.ts';
import { by, stream } from '../../../../support/ports/records.ts';
import { epochOf } from '../../../../support/ports/relayed.ts';
import { RelayRig } from '../../../../support/regions/relay-rig.ts';

const upTo = (count: number) => Array.from({ length: count }, (_, number) => number);

test('nothing is relayed before somebody needs it; then the log here has what the home has, and its end is told', async () => {
  await using rig = new RelayRig();
  const node = rig.node('n1');
  await rig.write((log) => log.segments(3));
  await rig.clock.pass(1000);
  expect({ streams: node.streams, ...(await rig.numbers()) }).toEqual({
    streams: [],
    numbers: [],
    ignored: 0,
  });
  rig.needs.need([stream]);
  await rig.clock.pass(100);
  expect(await rig.numbers()).toEqual({ numbers: upTo(3), ignored: 0 });
  const tail = await rig.own.tail(stream);
  expect(rig.told.at(-1)).toEqual({ stream, sequence: tail?.sequence, isAtHead: true });
  await rig.write((log) => log.segments(2));
  expect(await rig.numbers()).toEqual({ numbers: upTo(5), ignored: 0 });
});

test('a need is answered with how far the stream is relayed', async () => {
  await using rig = new RelayRig();
  rig.node('n1');
  await rig.write((log) => log.segments(1));
  rig.needs.need([stream]);
  await rig.clock.pass(100);
  rig.told.splice(0);
  rig.needs.need([stream]);
  expect(rig.told).toMatchObject([{ stream, isAtHead: true }]);
});

// Goal: the node that relays is killed, and relaying goes on. Method: of two nodes, whichever relays dies between two segments.
test('when the gateway that relays is killed, the other goes on: nothing is lost, and nothing doubled', async () => {
  await using rig = new RelayRig();
  const nodes = new Map(['n1', 'n2'].map((name) => [name, rig.node(name)]));
  await rig.write((log) => log.segments(2));
  rig.needs.need([stream]);
  await rig.clock.pass(500);
  const relaying = [...nodes].filter(([, { streams }]) => streams.length > 0).map(([name]) => name);
  expect(relaying).toHaveLength(1);
  rig.kill(relaying[0] ?? '');
  await rig.write((log) => log.segments(2));
  await rig.clock.pass(1000);
  await rig.write((log) => log.segments(2));
  expect(await rig.numbers()).toEqual({ numbers: upTo(6), ignored: 0 });
  const places = (await rig.own.read(stream)).map(({ record }) => record.home?.sequence);
  expect({ places: places.length, different: new Set(places).size }).toEqual({ places: 8, different: 8 });
});

test('a gateway that has just started and takes a stream over hears from the former one that it is needed', async () => {
  await using rig = new RelayRig();
  const former = rig.node('n1');
  await rig.write((log) => log.segments(1));
  rig.needs.need([stream]);
  await rig.clock.pass(500);
  const others = ['n2', 'n3', 'n4', 'n5', 'n6'].map((name) => rig.node(name));
  await rig.clock.pass(1000);
  const relaying = [former, ...others].flatMap(({ streams }) => streams);
  expect(relaying).toEqual([stream]);
});

test('while the link is cut the log stands still; healed, it goes on', async () => {
  await using rig = new RelayRig();
  rig.node('n1');
  await rig.write((log) => log.segments(1));
  rig.needs.need([stream]);
  await rig.clock.pass(500);
  rig.regions.cut('us', 'eu');
  await rig.write((log) => log.segments(30));
  await rig.clock.pass(50_000);
  expect(await rig.numbers()).toEqual({ numbers: upTo(1), ignored: 0 });
  rig.regions.heal('us', 'eu');
  await rig.clock.pass(1000);
  expect(await rig.numbers()).toEqual({ numbers: upTo(31), ignored: 0 });
});

test('a region that answers late holds up its own streams, and none of another region', async () => {
  await using rig = new RelayRig();
  const asia = RegionId.parse('asia');
  const stop = rig.regions.of('asia').serve(readLog, () => new Promise(() => {}));
  rig.node('n1');
  const late = Array.from({ length: 40 }, (_, index) => StreamId.parse(`late-${index}`));
  for (const one of late) rig.homes.set(one, asia);
  rig.needs.need(late);
  await rig.clock.pass(500);
  await rig.write((log) => log.segments(3));
  rig.needs.need([stream]);
  await rig.clock.pass(500);
  expect(await rig.numbers()).toEqual({ numbers: upTo(3), ignored: 0 });
  stop();
});

test('it stops a minute after the last need, and begins again with the next', async () => {
  await using rig = new RelayRig();
  const node = rig.node('n1');
  await rig.write((log) => log.segments(1));
  rig.needs.need([stream]);
  await rig.clock.pass(30_000);
  rig.needs.need([stream]);
  await rig.clock.pass(59_000);
  expect(node.streams).toEqual([stream]);
  await rig.clock.pass(2000);
  expect(node.streams).toEqual([]);
  await rig.write((log) => log.segments(2));
  rig.needs.need([stream]);
  await rig.clock.pass(100);
  expect(await rig.numbers()).toEqual({ numbers: upTo(3), ignored: 0 });
});

// Goal: the end of a broadcast arrives, though its owner is gone and nobody heard the record. Method: the last records are written untold.
test('what the home’s owner did not tell, its log does: the end arrives all the same', async () => {
  await using rig = new RelayRig();
  rig.node('n1');
  await rig.write((log) => log.segments(1));
  rig.needs.need([stream]);
  await rig.clock.pass(500);
  await rig.write((log) => log.segment().end(), false);
  await rig.clock.pass(3000);
  const { own } = await rig.folds();
  expect({ nextNumber: own.nextNumber, state: own.state }).toEqual({ nextNumber: 2, state: 'ended' });
});

test('a stream whose log here ends with an owner of this region, of a higher epoch, is not relayed', async () => {
  await using rig = new RelayRig();
  const node = rig.node('n1');
  await rig.write((log) => log.segments(1));
  await rig.own.append(stream, { kind: 'open', ...by({ epoch: epochOf(1, 1) }) }, 0);
  rig.needs.need([stream]);
  await rig.clock.pass(5000);
  const records = await rig.own.read(stream);
  expect({ streams: node.streams, records: records.length }).toEqual({ streams: [], records: 1 });
});

test('an owner of this region that takes the stream ends the relayer, and it does not begin again', async () => {
  await using rig = new RelayRig();
  const node = rig.node('n1');
  await rig.write((log) => log.segments(1));
  rig.needs.need([stream]);
  await rig.clock.pass(500);
  const tail = (await rig.own.tail(stream))?.sequence ?? 0;
  const epoch = epochOf(1, 1);
  const open = {
    kind: 'open' as const,
    ...by({ epoch }),
    from: { region: by().region, epoch: by().epoch, number: 1 },
  };
  await rig.own.append(stream, open, tail);
  await rig.write((log) => log.segments(3));
  await rig.clock.pass(20_000);
  expect({ streams: node.streams, last: (await rig.own.tail(stream))?.record.kind }).toEqual({
    streams: [],
    last: 'open',
  });
});

test('a commit waits for its objects, a second at most, and is pulled once', async () => {
  await using rig = new RelayRig();
  rig.node('n1');
  rig.isStoreSlow = true;
  await rig.write((log) => log);
  rig.needs.need([stream]);
  await rig.clock.pass(500);
  await rig.write((log) => log.segments(1));
  await rig.clock.pass(900);
  expect(await rig.numbers()).toEqual({ numbers: [], ignored: 0 });
  await rig.clock.pass(500);
  expect(await rig.numbers()).toEqual({ numbers: [0], ignored: 0 });
  expect({ pulls: rig.pulled.length, objects: new Set(rig.pulled).size }).toEqual({ pulls: 2, objects: 2 });
});

test('a stream that no other region has costs nothing: no question crosses', async () => {
  await using rig = new RelayRig();
  rig.home = undefined;
  const node = rig.node('n1');
  rig.needs.need([stream]);
  await rig.clock.pass(5000);
  await settled();
  expect({ streams: node.streams, reads: rig.own.reads }).toEqual({ streams: [], reads: 0 });
});
