/** `tangaza nodes`, `tangaza regions` and `tangaza who STREAM`: the cluster as tables. */
import { Command } from 'commander';
import { ClusterView } from '../../cluster/contract/streams.ts';
import { StreamHealth } from '../../cluster/contract/stream.ts';
import { callApi, print, table, withApiOptions, type ApiOptions } from '../client/api.ts';
import { describeHealth } from './streams.ts';

export function nodesCommand(): Command {
  return withApiOptions(new Command('nodes').description('The nodes of the cluster.')).action(
    async (options: ApiOptions) => {
      const { nodes } = await callApi(options, { path: '/v1/cluster' }, ClusterView);
      print(options, nodes, () =>
        table(
          nodes.map(({ id, region, state, roles, load, http, rtmp, pid }) => ({
            node: id,
            region,
            state,
            streams: load.streams,
            roles: roles.join(','),
            http,
            rtmp,
            pid,
          })),
          'No nodes.',
        ),
      );
    },
  );
}

export function regionsCommand(): Command {
  return withApiOptions(new Command('regions').description('The regions of the cluster.')).action(
    async (options: ApiOptions) => {
      const { regions } = await callApi(options, { path: '/v1/cluster' }, ClusterView);
      print(options, regions, () =>
        table(
          regions.map(({ id, nodes, alive }) => ({ region: id, nodes, alive })),
          'No regions.',
        ),
      );
    },
  );
}

export function whoCommand(): Command {
  const command = new Command('who')
    .description('Who owns a stream, since when, why there, and who is next.')
    .argument('<stream>', 'id of the stream');
  return withApiOptions(command).action(async (id: string, options: ApiOptions) => {
    const report = await callApi(
      options,
      { path: `/v1/streams/${encodeURIComponent(id)}/health` },
      StreamHealth,
    );
    print(options, report, () => describeHealth(id, report));
  });
}
