/** Regions whose files of the topology differ, on real nats-servers: who is wrong is told so, and nobody else is disturbed (R1, R2). */
import { expect, test } from 'vitest';
import { RegionId } from '../../../cluster/model/ids.ts';
import { silentLogger, type Logger } from '../../../cluster/observe/logger.ts';
import { behindPeers, heardVersions } from '../../../cluster/region/topology/topology-versions.ts';
import type { OtherRegions } from '../../../cluster/region/other-regions.ts';
import { echo, testAllowList } from '../../support/regions/crossings.ts';
import { joinRegions, type JoinOptions } from '../../support/regions/joined-regions.ts';
import { waitUntil } from '../../support/wait.ts';

const [eu, us, ap] = ['eu', 'us', 'ap'].map((id) => RegionId.parse(id));
if (eu === undefined || us === undefined || ap === undefined) throw new Error('there are three');
const nobody = { list: () => ({ revision: 1, members: [], readAtMs: 0 }) };
const soon = { key: 'demo', withinMs: 20_000 };

/** What each region logs. */
function logs(): {
  readonly of: (region: string) => readonly string[];
  readonly logger: (region: string) => Logger;
} {
  const all: { readonly region: string; readonly line: string }[] = [];
  const logger = (region: string): Logger => ({
    ...silentLogger,
    warn: (fields: object, text: string) =>
      void all.push({ region, line: `${text} ${JSON.stringify(fields)}` }),
    child: () => logger(region),
  });
  return { of: (region) => all.filter((one) => one.region === region).map(({ line }) => line), logger };
}

const join = (options: Partial<JoinOptions>) =>
  joinRegions({ nodes: { eu: ['n1', 'n2'], us: ['n1'] }, allowed: testAllowList, ...options });

/** What a node with that version says of itself in `/readyz`. */
const saidBy = (others: OtherRegions, version: number): string | undefined =>
  behindPeers({ version, regions: [] }, heardVersions(nobody, others));

test('a region with an older version than another one says so at each of its nodes, and the link works all the same', async () => {
  await using joined = await join({ version: (region) => (region === 'eu' ? 2 : 3) });
  joined.of('us').serve(echo, async ({ text }) => ({ text }));
  await joined.settled();
  for (const node of ['n1', 'n2'])
    expect(saidBy(joined.of('eu', node), 2)).toMatch(
      /^this node has version 2 of the regions, and region us has version 3: give it the new file/,
    );
  expect(saidBy(joined.of('us'), 3)).toBeUndefined();
  expect(await joined.of('eu', 'n2').call(us, echo, { text: 'on' }, soon)).toEqual({ text: 'on' });
});

// Goal: a region that joins is refused by one whose file lacks it, in words that name the file, and the link between the two others goes on.
test('a region that is in the new file alone is told which region has the old one, and the others go on', async () => {
  const { of, logger } = logs();
  await using joined = await join({
    nodes: { eu: ['n1'], us: ['n1'], ap: ['n1'] },
    version: (region) => (region === 'eu' ? 1 : 2),
    file: (region) => (region === 'eu' ? ['eu', 'us'] : ['eu', 'us', 'ap']),
    waitsForLinks: false,
    logger,
  });
  await waitUntil('it is told to both', () => of('ap').length > 0 && of('eu').length > 0);
  expect(of('ap')).toEqual([
    expect.stringContaining(
      'region eu has version 1 of the topology, in which there is no region ap: give its nodes',
    ),
  ]);
  expect(of('eu')).toEqual([expect.stringContaining('that region is not in the topology of this node')]);
  const linksOf = (region: string) =>
    joined
      .of(region)
      .links()
      .filter(({ isUp }) => isUp)
      .map(({ region: id }) => id);
  await waitUntil('all other links work', () => linksOf('us').length === 2 && linksOf('ap').length === 1);
  expect({ eu: linksOf('eu'), us: linksOf('us'), ap: linksOf('ap') }).toEqual({
    eu: [us],
    us: [eu, ap],
    ap: [us],
  });
});

// Goal: two regions that each take themselves for the same ordinal would make the same epochs, so nothing crosses between them, though both have
// the same version. Method: of three regions one has a file in which two are exchanged.
test('a region that takes itself for another ordinal than the others give it is linked to none of them, and both sides say so once', async () => {
  const { of, logger } = logs();
  await using joined = await join({
    nodes: { eu: ['n1'], us: ['n1'], ap: ['n1'] },
    file: (region) => (region === 'us' ? ['us', 'eu', 'ap'] : ['eu', 'us', 'ap']),
    waitsForLinks: false,
    logger,
  });
  const linkOf = (from: string, to: RegionId) =>
    joined
      .of(from)
      .links()
      .find(({ region }) => region === to);
  const isUp = (from: string, to: RegionId) => linkOf(from, to)?.isUp;
  await waitUntil('the two that agree are linked', () => isUp('eu', ap) === true && isUp('ap', eu) === true);
  const words = (region: string) =>
    of(region).filter((line) => line.includes('in its own file of the regions'));
  const isSaid = () => words('eu').length > 0 && words('ap').length > 0 && words('us').length > 1;
  await waitUntil('all that disagree have said so', isSaid);
  const wrong = (region: string) =>
    expect.stringContaining(
      `region ${region} has ordinal 0 in its own file of the regions, and 1 in that of the other side`,
    );
  expect({ eu: words('eu'), ap: words('ap'), us: words('us') }).toEqual({
    eu: [wrong('eu')],
    ap: [wrong('us')],
    us: [wrong('us'), wrong('us')],
  });
  const ofUs = [isUp('eu', us), isUp('ap', us), isUp('us', eu), isUp('us', ap)];
  expect({ ofUs }).toEqual({ ofUs: [false, false, false, false] });
});
