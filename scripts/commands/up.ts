/** `tangaza up`: runs the demo cluster; `npm start` calls it. */
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import type { DemoCluster } from '../demo/demo-cluster.ts';
import type { DemoLinks } from '../demo/demo-links.ts';
import type { NumberRule } from '../usage/judge.js';
import { NumberOption } from '../usage/number-option.ts';
import { StopRequest } from './stop-request.system.ts';

interface UpOptions {
  readonly regions: number;
  readonly nodes: number;
  readonly publisher: boolean;
  readonly store: 'disk' | 's3';
  readonly comments: 'sqlite' | 'cassandra';
  readonly portBase: number;
  readonly rtmpBase: number;
  readonly data: string;
  readonly json?: true;
}

/** A region of two nodes takes 0.5 GB, and 0.7 GB more with a data centre of Cassandra. */
const mostRegions = 3;

export function upCommand(): Command {
  return new Command('up')
    .description(
      'Starts a cluster on this machine with a test publisher, a viewer page and an operator page; Ctrl-C stops all of it.',
    )
    .addOption(
      new NumberOption(
        '--regions <n>',
        'regions, each with nodes, a nats-server and data of its own',
        whole(1, mostRegions),
      ).default(2),
    )
    .addOption(new NumberOption('--nodes <n>', 'nodes in each region', whole(1, 16)).default(2))
    .option('--no-publisher', 'without the test publisher: publish yourself, with the key demo-key')
    .addOption(new Option('--store <kind>', 'where segments lie').choices(['disk', 's3']).default('disk'))
    .addOption(
      new Option('--comments <database>', 'where comments, streams and keys lie')
        .choices(['sqlite', 'cassandra'])
        .default('sqlite'),
    )
    .addOption(
      new NumberOption('--port-base <port>', 'HTTP port of the first node', whole(1024, 65_000)).default(
        8080,
      ),
    )
    .addOption(
      new NumberOption('--rtmp-base <port>', 'RTMP port of the first node', whole(1024, 65_000)).default(
        1935,
      ),
    )
    .option('--data <dir>', 'folder of all data and logs', '.tangaza')
    .option('--json', 'print one line of JSON when ready')
    .action(up);
}

async function up(options: UpOptions): Promise<void> {
  const stop = new StopRequest();
  ignoreClosedOutput();
  const out = options.json ? process.stderr : process.stdout;
  const say = (line: string): void => void out.write(`· ${line}\n`);
  const { startDemoCluster } = await import('../demo/demo-cluster.ts');
  const { lookAtMachine } = await import('../demo/preflight.system.ts');
  const { openDemoLinks } = await import('../demo/demo-links.ts');
  const { narrate } = await import('../demo/story/narrator.system.ts');
  using narrator = narrate(say);
  const stopping = (): void => {
    narrator.stopping();
    say('stopping; Ctrl-C once more ends everything at once');
  };
  stop.signal.addEventListener('abort', stopping);
  const dataDir = resolve(options.data);
  const preflight = async (): Promise<readonly string[]> => {
    say('looking at this machine');
    const found = await lookAtMachine({
      regions: options.regions,
      dataDir,
      store: options.store,
      comments: options.comments,
      hasPublisher: options.publisher,
    });
    for (const warning of found.warnings) say(`warning: ${warning}`);
    return found.faults;
  };
  try {
    await using links = openDemoLinks();
    await using cluster = await startDemoCluster({
      regions: options.regions,
      nodes: options.nodes,
      hasPublisher: options.publisher,
      store: options.store,
      comments: options.comments,
      portBase: options.portBase,
      rtmpBase: options.rtmpBase,
      dataDir,
      preflight,
      links: links.ofDemo,
      command: ['tangaza', ...process.argv.slice(2)].join(' '),
      onProgress: say,
      onEvent: (event) => narrator.hear(event),
      signal: stop.signal,
      killSignal: stop.killSignal,
    });
    process.stdout.write(options.json ? `${JSON.stringify(asJson(cluster))}\n` : asText(cluster, options));
    narrator.ready();
    process.on('SIGUSR2', () => say(cutOrHeal(links)));
    const refused = await Promise.race([stop.requested, cluster.refused]);
    if (refused !== undefined) {
      stopping();
      throw refused;
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
  say('stopped; nothing is left running');
}

function cutOrHeal({ all }: DemoLinks): string {
  if (all.length === 0) return 'there is one region, and no link to cut';
  const isCut = all.some((link) => link.isCut);
  for (const link of all) {
    if (isCut) link.heal();
    else link.cut();
  }
  return isCut
    ? 'the links between the regions are healed'
    : 'the links between the regions are cut: nothing passes any more, and nobody is told; the same signal heals them';
}

/** The reader of our output may stop reading (`up | head`). The demo continues, and its output is lost. */
function ignoreClosedOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}

function asJson({ nodes, token, stream }: DemoCluster): object {
  const base = nodes[0]?.url ?? '';
  return {
    ready: true,
    edges: nodes.map(({ region, node, url }) => ({ region, node, url })),
    ingest: nodes.map(({ region, node, rtmp }) => ({ region, node, url: rtmp })),
    operator: nodes.map(({ region, node, operator: url }) => ({ region, node, url })),
    token,
    stream: {
      ...stream,
      page: `${base}/watch/${stream.id}`,
      dash: `${base}/live/${stream.id}/manifest.mpd`,
      hls: `${base}/live/${stream.id}/main.m3u8`,
    },
  };
}

function asText({ regions, nodes, token, stream }: DemoCluster, { publisher }: UpOptions): string {
  const [home] = regions;
  const [first] = nodes;
  const isAlone = regions.length === 1;
  const lines = [
    '',
    '  Tangaza is up.',
    '',
    `  watch       ${nodes.map((node) => `${node.url}/watch/${stream.id}${isAlone ? '' : `   (${node.region})`}`).join(underIt)}`,
    `  operator    ${regions.map((region) => `${region.nodes[0]?.url}/ops`).join(underIt)}`,
    `  DASH        ${first?.url}/live/${stream.id}/manifest.mpd`,
    `  HLS         ${first?.url}/live/${stream.id}/main.m3u8`,
    `  publish     server ${home?.nodes.map(({ rtmp }) => rtmp).join(' or ')}`,
    `              key    ${stream.key}${publisher ? '   (taken by the test publisher: start with --no-publisher to use your own)' : ''}`,
    `  API token   ${token}`,
    `  metrics     ${nodes.map(({ operator }) => `${operator}/metrics`).join(underIt)}`,
    ...(isAlone
      ? []
      : [
          `  cut         kill -USR2 ${process.pid}   cuts the links between the regions; once more heals them`,
        ]),
    '',
    publisher
      ? `  A test publisher is on air${isAlone ? '' : ` in ${home?.id}`}.`
      : '  Nobody is on air yet: publish with OBS or ffmpeg to the server and key above.',
    '  Ctrl-C stops everything.',
    '',
  ];
  return `${lines.join('\n')}\n`;
}

const underIt = `\n${' '.repeat(14)}`;

function whole(least: number, most: number): NumberRule {
  return { least, most, isWhole: true };
}
