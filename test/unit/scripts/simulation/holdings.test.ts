/** Who holds what in the simulated region: the indices say what a walk over all records would say. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { declareDead, findMember, isLive } from '../../../../cluster/membership/view.ts';
import { BootId, Epoch, NodeId, RegionId, StreamId } from '../../../../cluster/model/ids.ts';
import { loadsOf } from '../../../../cluster/ownership/succession.ts';
import type { OwnershipRecord } from '../../../../cluster/ownership/ownership-store.ts';
import { Holdings, type Held } from '../../../../scripts/simulation/holdings.ts';
import { viewOf } from '../../../support/cluster/members.ts';

const nodes = ['n1', 'n2', 'n3', 'n4'].map((id) => NodeId.parse(id));
const record = (node: number, boot: number): OwnershipRecord => {
  const owner = nodes[node] ?? NodeId.parse('none');
  return {
    owner,
    region: RegionId.parse('r1'),
    epoch: Epoch.parse(1),
    since: '',
    reason: '',
    bootId: BootId.parse(boot === 0 ? `boot-${owner}` : `later-${owner}`),
  };
};
const streamsOf = (held: readonly Held[]): readonly string[] => held.map(({ stream }) => stream);

test('after any puts the questions are answered as by a walk, in the order in which streams were first owned', () => {
  const put = fc.tuple(fc.nat({ max: 9 }), fc.nat({ max: 3 }), fc.nat({ max: 1 }), fc.nat({ max: 2 }));
  const full = viewOf(...nodes);
  const dead = findMember(full, nodes[1] ?? NodeId.parse('none'));
  if (dead === undefined) throw new Error('nobody to declare dead');
  const view = declareDead(full, dead, 0);
  fc.assert(
    fc.property(fc.array(put, { maxLength: 40 }), (puts) => {
      const holdings = new Holdings();
      const plain = new Map<StreamId, OwnershipRecord>();
      const where = (isMeant: (record: OwnershipRecord) => boolean): readonly string[] =>
        [...plain].filter(([, one]) => isMeant(one)).map(([stream]) => stream);
      for (const [index, node, boot, asked] of puts) {
        const stream = StreamId.parse(`s${index}`);
        plain.set(stream, record(node, boot));
        holdings.put(stream, record(node, boot), 1);
        const { owner, bootId } = record(asked, boot);
        expect(streamsOf(holdings.heldBy(bootId))).toEqual(where((one) => one.bootId === bootId));
        expect(streamsOf(holdings.heldByOthers(owner, bootId))).toEqual(
          where((one) => one.owner === owner && one.bootId !== bootId),
        );
        expect(streamsOf(holdings.orphansIn(view))).toEqual(
          where((one) => {
            const member = findMember(view, one.owner);
            return member?.bootId !== one.bootId || !isLive(member);
          }),
        );
      }
      const loads = [...holdings.loads].filter(([, load]) => load > 0);
      expect(new Map(loads)).toEqual(loadsOf(plain));
    }),
  );
});
