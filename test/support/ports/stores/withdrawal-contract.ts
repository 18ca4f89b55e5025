/** The contract of taking comments back: what authors say of their own, beside what moderators do. For each implementation of `CommentStore`. */
import { describe, expect, test } from 'vitest';
import type { AudienceStore } from '../../../../actors/comments/store/audience-store.ts';
import { UserId, type CommentId } from '../../../../cluster/model/ids.ts';
import { ada, AudienceRig, type StartSubject } from './audience-subject.ts';

const mod = UserId.parse('a-mod');

/** @param act what is done, and how many ms later than the comment, like `hide 1` */
function carryOut(store: AudienceStore, id: CommentId, act: string, nowMs: number) {
  const [what = '', afterMs] = act.split(' ');
  const atMs = nowMs + Number(afterMs);
  switch (what) {
    case 'hide':
      return store.setHidden(id, { by: mod, atMs }, atMs);
    case 'restore':
      return store.setHidden(id, undefined, atMs);
    case 'hideOwn': // as versions of before wrote what authors take back
      return store.setHidden(id, { by: ada, atMs }, atMs);
    case 'takeBack':
      return store.withdraw(id, { by: ada, atMs }, atMs);
    default:
      return store.withdraw(id, undefined, atMs);
  }
}

export function withdrawalContract(name: string, start: StartSubject): void {
  describe(`comments that are taken back in ${name}`, () => {
    const rig = new AudienceRig(start);
    const { nowMs } = rig;

    test.each([
      ['a moderator hid it before', 'hide 1, takeBack 2, show 3', mod],
      ['a moderator hides it between', 'takeBack 1, hide 2, show 3', mod],
      ['a hide of before comes late', 'takeBack 2, show 3, hide 1', mod],
      ['a moderator shows it', 'takeBack 1, restore 2, takeBack 1', undefined],
      ['it is taken back after a moderator showed it', 'restore 1, takeBack 2', ada],
      ['what its author did before ends 1 ms later', 'hideOwn 1, show 3, restore 2', undefined],
      ['and no hide since then with it', 'hideOwn 1, show 3, hide 2, restore 2', mod],
      ['its author shows it again', 'takeBack 1, show 2, takeBack 1', undefined],
    ])('an author undoes no act of a moderator: %s', async (_, acts, by) => {
      const { id } = await rig.add(rig.body());
      for (const [index, act] of acts.split(', ').entries())
        await carryOut(index % 2 === 0 ? rig.store : rig.other, id, act, nowMs);
      expect({ by: (await rig.store.get(id))?.hidden?.by }).toEqual({ by });
    });

    test('a comment that is not here is not taken back', async () => {
      const comment = rig.body();
      expect(await carryOut(rig.store, comment.id, 'takeBack 0', nowMs)).toBeUndefined();
      expect((await rig.add(comment)).hidden).toBeUndefined();
    });

    test('a comment that was taken back is told to who reads on', async () => {
      const { id, changedAtMs } = await rig.add(rig.body());
      await carryOut(rig.store, id, 'takeBack 10', nowMs);
      const [row] = await rig.other.arrivedSince(rig.stream, nowMs, 10);
      expect(row).toMatchObject({ id, hidden: { by: ada } });
      expect(row?.changedAtMs).toBeGreaterThan(changedAtMs);
    });
  });
}
