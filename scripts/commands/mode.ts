/** `tangaza mode STREAM`: who may comment on a stream, and how often; shows it and changes it. */
import { Argument, Command } from 'commander';
import { CommentMode } from '../../cluster/contract/api/audience-views.ts';
import { callApi, print, withApiOptions, type ApiOptions } from '../client/api.ts';
import { NumberOption } from '../usage/number-option.ts';

interface Flags extends ApiOptions {
  readonly slow?: number;
}

const modes = CommentMode.shape.mode.options;
const slow = { least: 0, most: 3600, isWhole: true } as const;

export function modeCommand(): Command {
  const command = new Command('mode')
    .description('Shows who may comment on a stream and how often, or changes it.')
    .argument('<stream>', 'id of the stream')
    .addArgument(new Argument('[mode]', 'who may comment: everybody, accounts alone, nobody').choices(modes))
    .addOption(
      new NumberOption(
        '--slow <seconds>',
        'how long an author waits between two comments; 0 for no wait',
        slow,
      ),
    );
  return withApiOptions(command).action(run);
}

async function run(stream: string, wanted: CommentMode['mode'] | undefined, flags: Flags): Promise<void> {
  const path = `/v1/streams/${encodeURIComponent(stream)}/mode`;
  const now = await callApi(flags, { path }, CommentMode);
  const body = { mode: wanted ?? now.mode, slowSeconds: flags.slow ?? now.slowSeconds };
  const isChange = wanted !== undefined || flags.slow !== undefined;
  const mode = isChange ? await callApi(flags, { method: 'PUT', path, body }, CommentMode) : now;
  print(flags, mode, () => describe(stream, mode));
}

function describe(stream: string, { mode, slowSeconds }: CommentMode): string {
  const who = { open: 'everybody may', accounts: 'accounts alone may', closed: 'nobody may' }[mode];
  const wait = slowSeconds === 0 || mode === 'closed' ? '' : `, once in ${slowSeconds} s`;
  return `On ${stream} ${who} comment${wait}.\n`;
}
