/** `tangaza streams …`: create, list, show, delete, rotate-key, health. */
import { Command } from 'commander';
import { z } from 'zod';
import { StreamHealth } from '../../cluster/contract/stream-health.ts';
import { StreamPage, StreamView, StreamWithKey } from '../../cluster/contract/api/control-views.ts';
import { callApi, print, table, withApiOptions, type ApiOptions } from '../client/api.ts';
import { describeStaleness } from '../client/staleness.ts';

const pathOf = (id: string): string => `/v1/streams/${encodeURIComponent(id)}`;

export function streamsCommand(): Command {
  return new Command('streams')
    .description('Streams: create, list, show, delete, rotate-key, health.')
    .addCommand(createCommand())
    .addCommand(listCommand())
    .addCommand(oneCommand('show', 'Shows a stream, without its key.', show))
    .addCommand(oneCommand('delete', 'Deletes a stream and disconnects its publisher.', remove))
    .addCommand(oneCommand('rotate-key', 'Makes a new key; the old one ends at once.', rotateKey))
    .addCommand(
      oneCommand('health', 'Who owns it, what comes in, how far each rendition is behind.', health),
    );
}

function createCommand(): Command {
  const command = new Command('create')
    .description('Creates a stream; its key is shown this once.')
    .argument('<title>', 'what viewers read')
    .option('--id <id>', 'lower-case letters, digits, - and _; chosen for you when absent')
    .option('--ladder <name>', 'a file under config/ladders/');
  return withApiOptions(command).action(create);
}

function listCommand(): Command {
  const command = new Command('list')
    .description('Lists streams, newest first.')
    .option('--limit <n>', 'how many, 200 at most', '50')
    .option('--cursor <cursor>', 'nextCursor of the page before');
  return withApiOptions(command).action(list);
}

function oneCommand(
  name: string,
  description: string,
  run: (id: string, options: ApiOptions) => Promise<void>,
): Command {
  return withApiOptions(
    new Command(name).description(description).argument('<stream>', 'id of the stream'),
  ).action(run);
}

async function create(
  title: string,
  options: ApiOptions & { readonly id?: string; readonly ladder?: string },
): Promise<void> {
  const body = {
    title,
    ...(options.id === undefined ? {} : { id: options.id }),
    ...(options.ladder === undefined ? {} : { ladder: options.ladder }),
  };
  const stream = await callApi(options, { method: 'POST', path: '/v1/streams', body }, StreamWithKey);
  print(options, stream, () => describeKey(stream));
}

async function list(
  options: ApiOptions & { readonly limit: string; readonly cursor?: string },
): Promise<void> {
  const { limit, cursor } = options;
  const query = new URLSearchParams({ limit, ...(cursor === undefined ? {} : { cursor }) });
  const page = await callApi(options, { path: `/v1/streams?${query.toString()}` }, StreamPage);
  print(options, page, () => {
    const rows = page.items.map(({ id, title, ladder, createdAt }) => ({
      id,
      title,
      ladder,
      created: createdAt,
    }));
    const more = page.nextCursor === undefined ? '' : `There are more: --cursor ${page.nextCursor}\n`;
    return table(rows, 'There are no streams yet: tangaza streams create "My first stream"') + more;
  });
}

async function show(id: string, options: ApiOptions): Promise<void> {
  const stream = await callApi(options, { path: pathOf(id) }, StreamView);
  print(options, stream, () => describeStream(stream));
}

async function remove(id: string, options: ApiOptions): Promise<void> {
  await callApi(options, { method: 'DELETE', path: pathOf(id) }, z.undefined());
  print(options, { deleted: id }, () => `Deleted ${id}.\n`);
}

async function rotateKey(id: string, options: ApiOptions): Promise<void> {
  const stream = await callApi(options, { method: 'POST', path: `${pathOf(id)}/key` }, StreamWithKey);
  print(options, stream, () => describeKey(stream));
}

async function health(id: string, options: ApiOptions): Promise<void> {
  const report = await callApi(options, { path: `${pathOf(id)}/health` }, StreamHealth);
  print(options, report, () => describeHealth(id, report));
}

function describeStream({ id, title, ladder, ingest, playback }: StreamView): string {
  const points = ingest.map(({ role, region, url }) => `  ${role.padEnd(9)} ${url}   (${region})`);
  return [
    `${id}: ${title} (ladder ${ladder})`,
    ...points,
    `  page      ${playback.page}`,
    `  DASH      ${playback.dash}`,
    `  HLS       ${playback.hls}`,
    '',
  ].join('\n');
}

function describeKey(stream: StreamWithKey): string {
  return `${describeStream(stream)}  key       ${stream.streamKey}   (keep it: it is not shown again)\n`;
}

/** Also printed by `tangaza who`. */
export function describeHealth(id: string, report: StreamHealth): string {
  const {
    state,
    reason,
    owner,
    region,
    epoch,
    since,
    ownedBecause,
    successors,
    sessions,
    input,
    renditions,
  } = report;
  const lines = [
    `${id} is ${state}: ${reason}`,
    ...(region === undefined ? [] : [`  home       ${region}`]),
    ...(owner === undefined ? [] : [`  owner      ${owner}, epoch ${epoch}, since ${since}`]),
    ...(ownedBecause === undefined ? [] : [`  because    ${ownedBecause}`]),
    ...(successors.length === 0 ? [] : [`  next       ${successors.join(', ')}`]),
    ...(sessions ?? []).map(
      ({ node, role, encoder, bitrateBps }) =>
        `  publisher  at ${node}, ${role}${encoder === undefined ? '' : `, ${encoder}`}${bitrateBps === undefined ? '' : `, ${Math.round(bitrateBps / 1000)} kbit/s`}`,
    ),
    ...(input === undefined ? [] : [`  input      ${describeInput(input)}`]),
    ...(input?.warnings ?? []).map((warning) => `  warning    ${warning}`),
    ...renditions.map(
      ({ name, lagMs, recentGaps }) =>
        `  ${name.padEnd(10)} ${isFed(state) ? `${(lagMs / 1000).toFixed(1)} s behind, ` : ''}${recentGaps} gaps in the last 10 minutes`,
    ),
    ...describeTime(report),
    '',
  ];
  return lines.join('\n');
}

/** How long a stream has been off air is no delay. */
const isFed = (state: StreamHealth['state']): boolean => state !== 'offline' && state !== 'refused';

/** An owner knows its stream by itself. Only NATS could say whether it is still the owner. */
function describeTime({ asOf, stale, owner }: StreamHealth): readonly string[] {
  if (stale === undefined) return [`  as of      ${asOf}`];
  if (asOf === stale.asOf || owner === undefined) return [`  all this   ${describeStaleness(stale)}`];
  return [`  as of      ${asOf}, by its owner`, `  ownership  ${describeStaleness(stale)}`];
}

function describeInput(input: NonNullable<StreamHealth['input']>): string {
  const { videoCodec, width, height, fps, audioCodec, bitrateBps, keyframeIntervalSeconds, lastPacketAgeMs } =
    input;
  return [
    videoCodec === undefined ? 'no video' : `${videoCodec} ${width}x${height} at ${fps?.toFixed(2)} fps`,
    audioCodec ?? 'no audio',
    ...(bitrateBps === undefined ? [] : [`${Math.round(bitrateBps / 1000)} kbit/s`]),
    ...(keyframeIntervalSeconds === undefined
      ? []
      : [`a keyframe every ${keyframeIntervalSeconds.toFixed(1)} s`]),
    ...(lastPacketAgeMs === undefined ? [] : [`last packet ${Math.round(lastPacketAgeMs)} ms ago`]),
  ].join(', ');
}
