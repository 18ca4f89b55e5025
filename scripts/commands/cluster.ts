/** `tangaza nodes`, `tangaza regions` and `tangaza who STREAM`: show the cluster as tables. */
import { Command } from 'commander';
import { ClusterView, DrainView, RegionsView } from '../../cluster/contract/api/control-views.ts';
import { StreamHealth } from '../../cluster/contract/stream-health.ts';
import { systemClock as clock } from '../../cluster/time/clock.system.ts';
import { callApi, print, table, withApiOptions, type ApiOptions } from '../client/api.ts';
import { LeavingNode } from '../client/leaving-node.ts';
import { describeStaleness } from '../client/staleness.ts';
import { describeRegions } from '../client/regions.ts';
import { describeHealth } from './streams.ts';

export function nodesCommand(): Command {
  return withApiOptions(
    new Command('nodes').description(
      'The nodes of the cluster, and how many streams each has on air; with NATS down, as the asked node last knew them, and how long ago.',
    ),
  ).action(async (options: ApiOptions) => {
    const { nodes, stale } = await callApi(options, { path: '/v1/cluster' }, ClusterView);
    printCluster(options, { value: nodes, stale }, () =>
      table(
        nodes.map(({ id, region, state, roles, load, http, rtmp, pid }) => ({
          node: id,
          region,
          state,
          streams: load.onAir ?? '?',
          roles: roles.join(','),
          http,
          rtmp,
          pid,
        })),
        'No nodes.',
      ),
    );
  });
}

export function regionsCommand(): Command {
  return withApiOptions(
    new Command('regions').description(
      'All regions: nodes, streams on air, connections of viewers, and how each reaches the others; one that is cut off as it was last known, and how long ago.',
    ),
  ).action(async (options: ApiOptions) => {
    const view = await callApi(options, { path: '/v1/regions' }, RegionsView);
    print(options, view, () => describeRegions(view));
  });
}

/** Printed under the table. With JSON it goes to stderr, so that the shape of the JSON stays. */
function printCluster(
  options: ApiOptions,
  { value, stale }: { readonly value: unknown; readonly stale: ClusterView['stale'] },
  text: () => string,
): void {
  const words = stale === undefined ? '' : `All this is ${describeStaleness(stale)}\n`;
  print(options, value, () => text() + words);
  if (options.json) process.stderr.write(words);
}

export function whoCommand(): Command {
  const command = new Command('who')
    .description(
      'Who owns a stream, since when, why there, and who is next; with NATS down, or the link to its home, what was last known, and how long ago.',
    )
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

const drainLookMs = 500;
/** Added to the bound that the node names. */
const drainPatienceMs = 15_000;

export function drainCommand(): Command {
  const command = new Command('drain')
    .description(
      'A node hands its streams over, waits for its publishers to leave, within a bound, and ends.',
    )
    .argument('<node>', 'id of the node')
    .option('--force', 'also when no other node could own its streams');
  return withApiOptions(command).action(async (id: string, options: ApiOptions & { force?: true }) => {
    const leaving = new LeavingNode(id, options);
    await leaving.look();
    const draining = await callApi(
      options,
      {
        method: 'POST',
        path: `/v1/nodes/${encodeURIComponent(id)}/drain`,
        body: options.force === true ? { force: true } : {},
      },
      DrainView,
    );
    await untilLeft(leaving, clock.monotonicMs() + draining.withinSeconds * 1000 + drainPatienceMs);
    print(options, { ...draining, state: 'left' }, () => `${id} has left.\n`);
  });
}

/** Prints each change. A look that fails is repeated, as nodes come and go meanwhile. @throws Error when the time is over */
async function untilLeft(leaving: LeavingNode, deadlineMs: number): Promise<void> {
  for (let last = ''; ; await clock.sleep(drainLookMs)) {
    const isOver = clock.monotonicMs() > deadlineMs;
    try {
      const now = await leaving.look();
      if (now === undefined) return;
      const line = `${now.id} is ${now.state}, ${now.load.onAir ?? '?'} streams on air`;
      if (line !== last) process.stderr.write(`${line}\n`);
      last = line;
      if (isOver) throw new Error(`${now.id} has not left after its bound: see its log`);
    } catch (error) {
      if (isOver) throw error;
    }
  }
}
