import { assert, array, constantFrom, property, uniqueArray } from 'fast-check';
import { expect, test } from 'vitest';
import { lightLoad } from '../../../../actors/edge-delivery/edge-order.ts';
import { socketPlaces, type AskedSocket } from '../../../../actors/edge-delivery/user-edges.ts';
import { NodeId, RegionId, StreamId, UserId } from '../../../../cluster/model/ids.ts';

const region = RegionId.parse('eu');
const stream = StreamId.parse('demo');
const edge = (id: string, where = region) => ({
  id: NodeId.parse(id),
  region: where,
  baseUrl: `http://${id}.test`,
});
const four = ['n1', 'n2', 'n3', 'n4'].map((id) => edge(id));
const users = Array.from({ length: 300 }, (_, index) => UserId.parse(`g-user${index}`));

interface Seen {
  readonly self?: string;
  readonly edges?: readonly ReturnType<typeof edge>[];
  readonly unsound?: readonly string[];
  readonly loads?: Readonly<Record<string, number>>;
  readonly isLeaving?: boolean;
}

function places({ self = 'n1', edges = four, unsound = [], loads = {}, isLeaving = false }: Seen = {}) {
  const part = {
    node: NodeId.parse(self),
    region,
    listEdges: () => ({ revision: 1, edges }),
    isSound: (id: string) => !unsound.includes(id),
    loadOf: (id: string) => loads[id],
    isTrustedProxy: () => false,
  };
  return socketPlaces(part, { isLeaving });
}

const asked = (user: UserId | undefined, change: Partial<AskedSocket> = {}): AskedSocket => ({
  stream,
  user,
  origin: 'http://localhost:8080',
  front: undefined,
  socket: 's1',
  ...change,
});

const hostOf = (url: string | undefined): string => (url === undefined ? 'none' : new URL(url).hostname);

test('whichever edge is asked, a user comes back to one, and each edge has its share of users', () => {
  const [atOne, atTwo] = [places({ self: 'n1' }), places({ self: 'n2' })];
  const counts = new Map<string, number>();
  for (const user of users) {
    const [one, two] = [atOne.urlFor(asked(user)), atTwo.urlFor(asked(user))].map(hostOf);
    const named = one === 'localhost' ? 'n1.test' : one;
    expect(two === 'localhost' ? 'n2.test' : two).toBe(named);
    counts.set(named ?? '', (counts.get(named ?? '') ?? 0) + 1);
  }
  expect([...counts.keys()].toSorted()).toEqual(['n1.test', 'n2.test', 'n3.test', 'n4.test']);
  expect(Math.min(...counts.values())).toBeGreaterThan(users.length / 8);
});

test('an edge that dies moves exactly its own users', () => {
  assert(
    property(
      constantFrom('n2', 'n3', 'n4'),
      array(constantFrom(...users), { minLength: 1 }),
      (dead, some) => {
        for (const user of some) {
          const before = hostOf(places().urlFor(asked(user)));
          const after = hostOf(places({ unsound: [dead] }).urlFor(asked(user)));
          if (before !== `${dead}.test`) expect(after).toBe(before);
          else expect(after).not.toBe(before);
        }
      },
    ),
  );
});

test('an edge without room takes no user while another has some', () => {
  const loads = { n1: 10, n2: 10, n3: 10, n4: lightLoad + 1000 };
  const homes = new Set(users.map((user) => hostOf(places({ loads }).urlFor(asked(user)))));
  expect([...homes].toSorted()).toEqual(['localhost', 'n2.test', 'n3.test']);
});

test('who is nobody stays where it is, and so does who comes by a front', () => {
  const [user] = users;
  const front = 'https://live.example.com';
  expect({
    nobody: places().urlFor(asked(undefined)),
    fronts: new Set(users.map((one) => places().urlFor(asked(one, { front })))),
    movedBehindFront: places().urlElsewhere(asked(user, { front })),
  }).toEqual({
    nobody: 'ws://localhost:8080/v1/streams/demo/socket',
    fronts: new Set(['wss://live.example.com/v1/streams/demo/socket']),
    movedBehindFront: 'wss://live.example.com/v1/streams/demo/socket',
  });
});

test('an edge that leaves sends each to another one, nobody among them, and to none where it is the last', () => {
  assert(
    property(uniqueArray(constantFrom('n2', 'n3', 'n4')), (unsound) => {
      const urls = [...users.slice(0, 30), undefined].map((user, index) =>
        hostOf(places({ unsound }).urlElsewhere(asked(user, { socket: `s${index}` }))),
      );
      const left = four.map(({ id }) => id).filter((id) => id !== 'n1' && !unsound.some((one) => one === id));
      for (const url of urls)
        expect(left.length === 0 ? ['none'] : left.map((id) => `${id}.test`)).toContain(url);
    }),
  );
});

test('edges of another region serve only when this one has none', () => {
  const edges = [edge('n1'), edge('f1', RegionId.parse('us'))];
  expect(new Set(users.map((user) => hostOf(places({ edges }).urlFor(asked(user)))))).toEqual(
    new Set(['localhost']),
  );
  const [user] = users;
  expect(hostOf(places({ edges }).urlElsewhere(asked(user)))).toBe('f1.test');
});
