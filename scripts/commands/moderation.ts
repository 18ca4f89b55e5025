/** `tangaza audit STREAM` and `tangaza users erase ID`: what moderators did, and what nobody may read any more. */
import { Command } from 'commander';
import { allStreams, AuditPage, Erased } from '../../cluster/contract/api/moderation-views.ts';
import { UserId } from '../../cluster/model/ids.ts';
import { UnusableError } from '../../config/unusable.ts';
import { callApi, print, table, withApiOptions, type ApiOptions } from '../client/api.ts';
import { NumberOption } from '../usage/number-option.ts';

const rows = { least: 1, most: 200, isWhole: true } as const;

interface AuditFlags extends ApiOptions {
  readonly limit: number;
  readonly cursor?: string;
}

export function auditCommand(): Command {
  const command = new Command('audit')
    .description('What moderators did on a stream, newest first: who, what, on what, and why.')
    .argument('<stream>', 'id of the stream; all-streams for what concerns all of them')
    .addOption(new NumberOption('--limit <n>', 'how many', rows).default(50))
    .option('--cursor <cursor>', 'nextCursor of the page before');
  return withApiOptions(command).action(audit);
}

async function audit(stream: string, flags: AuditFlags): Promise<void> {
  const { limit, cursor } = flags;
  const query = new URLSearchParams({ limit: String(limit), ...(cursor === undefined ? {} : { cursor }) });
  const path = `/v1/streams/${encodeURIComponent(stream)}/audit?${query.toString()}`;
  const page = await callApi(flags, { path }, AuditPage);
  print(flags, page, () => {
    const acts = page.items.map(({ at, by, act, on, reason }) => ({ at, by, act, on, why: reason ?? '' }));
    const more = page.nextCursor === undefined ? '' : `There are more: --cursor ${page.nextCursor}\n`;
    return table(acts, nothingOf(stream)) + more;
  });
}

const nothingOf = (stream: string): string =>
  stream === allStreams
    ? 'No moderator has done anything that concerns all streams.'
    : `Nobody has moderated ${stream} yet.`;

interface EraseFlags extends ApiOptions {
  readonly reason?: string;
}

export function usersCommand(): Command {
  return new Command('users').description('People who comment.').addCommand(eraseCommand());
}

function eraseCommand(): Command {
  const command = new Command('erase')
    .description(
      'Empties the name and the text of all that a user has written, on all streams, also of what still arrives. For good: nothing undoes it.',
    )
    .argument('<user>', 'id of the user: g-… or a-…')
    .option('--reason <text>', 'why, for the audit');
  return withApiOptions(command).action(erase);
}

async function erase(user: string, flags: EraseFlags): Promise<void> {
  const id = UserId.safeParse(user);
  if (!id.success) throw new UnusableError(`<user> ${id.error.issues[0]?.message}`);
  const body = flags.reason === undefined ? {} : { reason: flags.reason };
  const path = `/v1/users/${encodeURIComponent(id.data)}/erase`;
  const erased = await callApi(flags, { method: 'POST', path, body }, Erased);
  print(flags, erased, () => `Erased ${erased.comments} comments of ${id.data}, for good.\n`);
}
