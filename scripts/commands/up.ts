/** `tangaza up`: the demo cluster, what `npm start` runs. */
import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { DemoCluster } from '../demo/demo-cluster.ts';

interface UpOptions {
  readonly regions: number;
  readonly nodes: number;
  readonly publisher: boolean;
  readonly store: 'disk' | 's3';
  readonly portBase: number;
  readonly rtmpBase: number;
  readonly data: string;
  readonly json?: true;
}

/** Regions that one demo takes today: joining regions comes with region routing (see the CHANGELOG). */
const mostRegions = 1;

export function upCommand(): Command {
  return new Command('up')
    .description(
      'Starts a cluster on this machine with a test publisher, a viewer page and an operator page; Ctrl-C stops all of it.',
    )
    .option('--regions <n>', 'regions; one today', whole(1, mostRegions), 1)
    .option('--nodes <n>', 'nodes in each region', whole(1, 16), 2)
    .option('--no-publisher', 'without the test publisher: publish yourself, with the key demo-key')
    .addOption(new Option('--store <kind>', 'where segments lie').choices(['disk', 's3']).default('disk'))
    .option('--port-base <port>', 'HTTP port of the first node', whole(1024, 65_000), 8080)
    .option('--rtmp-base <port>', 'RTMP port of the first node', whole(1024, 65_000), 1935)
    .option('--data <dir>', 'folder of all data and logs', '.tangaza')
    .option('--json', 'print one line of JSON when ready')
    .action(up);
}

async function up(options: UpOptions): Promise<void> {
  const abort = new AbortController();
  const stopped = stopRequested(abort);
  const say = (line: string): void => void (options.json ? undefined : process.stdout.write(`· ${line}\n`));
  try {
    const { startDemoCluster } = await import('../demo/demo-cluster.ts');
    await using cluster = await startDemoCluster({
      regions: options.regions,
      nodes: options.nodes,
      hasPublisher: options.publisher,
      store: options.store,
      portBase: options.portBase,
      rtmpBase: options.rtmpBase,
      dataDir: resolve(options.data),
      onProgress: say,
      signal: abort.signal,
    });
    process.stdout.write(options.json ? `${JSON.stringify(asJson(cluster))}\n` : asText(cluster, options));
    await stopped;
    say('stopping');
  } catch (error) {
    if (!abort.signal.aborted) throw error;
  }
  say('stopped; nothing is left running');
}

/** Through `npm start` one Ctrl-C arrives twice, from the terminal and from npm: what comes so soon is the same one. */
const sameStopMs = 1000;

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once (its children follow: S1). */
function stopRequested(abort: AbortController): Promise<void> {
  return new Promise((resolve) => {
    let firstMs = 0;
    const stop = (): void => {
      if (abort.signal.aborted && performance.now() - firstMs > sameStopMs) process.exit(130);
      if (abort.signal.aborted) return;
      firstMs = performance.now();
      abort.abort();
      resolve();
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  });
}

function asJson({ nodes, token, stream }: DemoCluster): object {
  const base = nodes[0]?.url ?? '';
  return {
    ready: true,
    edges: nodes.map(({ region, node, url }) => ({ region, node, url })),
    ingest: nodes.map(({ region, node, rtmp }) => ({ region, node, url: rtmp })),
    token,
    stream: {
      ...stream,
      page: `${base}/watch/${stream.id}`,
      dash: `${base}/live/${stream.id}/manifest.mpd`,
      hls: `${base}/live/${stream.id}/main.m3u8`,
    },
  };
}

function asText({ nodes, token, stream }: DemoCluster, { publisher }: UpOptions): string {
  const [first] = nodes;
  const lines = [
    '',
    '  Tangaza is up.',
    '',
    `  watch       ${nodes.map(({ url }) => `${url}/watch/${stream.id}`).join('\n              ')}`,
    `  operator    ${first?.url}/ops`,
    `  DASH        ${first?.url}/live/${stream.id}/manifest.mpd`,
    `  HLS         ${first?.url}/live/${stream.id}/main.m3u8`,
    `  publish     server ${nodes.map(({ rtmp }) => rtmp).join(' or ')}`,
    `              key    ${stream.key}${publisher ? '   (taken by the test publisher: start with --no-publisher to use your own)' : ''}`,
    `  API token   ${token}`,
    '',
    publisher
      ? '  A test publisher is on air.'
      : '  Nobody is on air yet: publish with OBS or ffmpeg to the server and key above.',
    '  Ctrl-C stops everything.',
    '',
  ];
  return `${lines.join('\n')}\n`;
}

function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new InvalidArgumentError(
        least === most
          ? `It can only be ${least} today.`
          : `It takes a whole number from ${least} to ${most}.`,
      );
    }
    return value;
  };
}
