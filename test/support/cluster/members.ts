/** Members for tests of what looks at them. */
import { emptyView, join, type View } from '../../../cluster/membership/view.ts';
import type { Member } from '../../../cluster/membership/member-directory.ts';
import { BootId, NodeId, RegionId } from '../../../cluster/model/ids.ts';

export function testMember(id: string, change: Partial<Member> = {}): Member {
  return {
    id: NodeId.parse(id),
    region: RegionId.parse('r1'),
    host: 'h',
    pid: 1,
    bootId: BootId.parse(`boot-${id}`),
    roles: ['ingest', 'edge-delivery', 'transcode-worker', 'control'],
    httpUrl: `http://${id}`,
    rtmpUrl: `rtmp://${id}/live`,
    startedAt: '2026-01-01T00:00:00.000Z',
    weight: 1,
    protocol: 1,
    ...change,
  };
}

export const viewOf = (...ids: readonly string[]): View =>
  ids.reduce((view, id) => join(view, testMember(id)), emptyView('secret'));
