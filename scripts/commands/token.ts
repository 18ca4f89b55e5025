/**
 * `tangaza token …`. `create` signs the token of an account with a region's key, so that somebody can moderate without a service of accounts;
 * `keys` makes the file of these keys for several regions.
 */
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { accountOf } from '../../actors/comments/identity/claims.ts';
import { openSigner } from '../../actors/comments/identity/token-signer.jose.ts';
import { Permission, type Identity } from '../../cluster/contract/api/audience-views.ts';
import { RegionId, StreamId } from '../../cluster/model/ids.ts';
import { systemClock } from '../../cluster/time/clock.system.ts';
import { ensureTokenKeys, signingKeyIn, tokenKeysName } from '../../config/token-keys.disk.ts';
import { UnusableError } from '../../config/unusable.ts';
import { usualFolder } from '../client/find-cluster.ts';
import { NumberOption } from '../usage/number-option.ts';

interface Flags {
  readonly name: string;
  readonly account?: string;
  readonly moderator?: true;
  readonly administrator?: true;
  readonly permission?: readonly Permission[];
  readonly stream?: string;
  readonly hours: number;
  readonly keys?: string;
  readonly data?: string;
  readonly json?: true;
}

export function tokenCommand(): Command {
  return new Command('token')
    .description('Tokens of people who comment and moderate.')
    .addCommand(createCommand())
    .addCommand(keysCommand());
}

interface KeysFlags {
  readonly keys: string;
  readonly regions: string;
  readonly json?: true;
}

function keysCommand(): Command {
  return new Command('keys')
    .description(
      'Makes the file that TANGAZA_TOKEN_KEYS names, with a key for each region and a secret that all share, or adds what it lacks: what is there stays. Needs no node.',
    )
    .requiredOption('--keys <file>', 'the file')
    .requiredOption('--regions <names>', 'comma-separated names of all regions, as TANGAZA_REGION has them')
    .option('--json', 'print { file, regions }')
    .action(makeKeys);
}

function makeKeys({ keys: file, regions: names, json }: KeysFlags): void {
  const regions = [...new Set(names.split(',').map((name) => regionOf(name.trim())))];
  ensureTokenKeys(file, regions);
  process.stdout.write(
    json === true
      ? `${JSON.stringify({ file, regions })}\n`
      : `${file} has a key of ${regions.join(', ')} and the secret that they share. Whoever has it can sign: give it to their nodes alone.\n`,
  );
}

function regionOf(given: string): RegionId {
  const region = RegionId.safeParse(given);
  if (region.success) return region.data;
  throw new UnusableError(`--regions: ${given}: ${region.error.issues[0]?.message}`);
}

function createCommand(): Command {
  return new Command('create')
    .description(
      "Makes an account's bearer token, signed with a region's key, which all regions know. Prints the token alone on standard output. Needs no node.",
    )
    .requiredOption('--name <name>', 'what others see')
    .option('--account <id>', 'who it is: the same id is the same person; default: made from the name')
    .option('--moderator', 'may hide and release comments, ban, set the mode, read the audit')
    .option('--administrator', 'may do that, and erase users')
    .addOption(permissionOption())
    .option('--stream <stream>', 'counts on this stream alone')
    .addOption(new NumberOption('--hours <n>', 'how long it is good', hours).default(12))
    .option(
      '--keys <file>',
      'file of keys with a private one; default: TANGAZA_TOKEN_KEYS, else that of the demo',
    )
    .option('--data <dir>', `data folder of a demo on this machine; default: ${usualFolder}`)
    .option('--json', 'print { token, user, permissions, stream, expiresAt }')
    .action(create);
}

const hours = { least: 0.01, most: 8760, isWhole: false } as const;

/** Each use adds one. */
function permissionOption(): Option {
  const option = new Option('--permission <name>', 'a single permission; may be given several times');
  const add = (name: string, before: readonly Permission[] = []): readonly Permission[] => {
    const parsed = Permission.safeParse(name);
    if (!parsed.success)
      throw new InvalidArgumentError(`Allowed choices are ${Permission.options.join(', ')}.`);
    return [...before, parsed.data];
  };
  return option.choices(Permission.options).argParser(add);
}

async function create(flags: Flags): Promise<void> {
  const roles = [
    ...(flags.moderator === true ? ['moderator'] : []),
    ...(flags.administrator === true ? ['administrator'] : []),
  ];
  const grant = {
    name: flags.name,
    account: flags.account ?? `cli:${flags.name}`,
    roles,
    permissions: flags.permission ?? [],
    ...(flags.stream === undefined ? {} : { stream: streamOf(flags.stream) }),
  };
  const life = { nowMs: systemClock.utcMs(), hours: flags.hours };
  const identity = identityOf(grant, life.nowMs / 1000 + life.hours * 3600);
  const token = await (await openSigner(keyFor(flags))).accountToken(grant, life);
  if (flags.json === true) {
    process.stdout.write(`${JSON.stringify({ token, ...identity })}\n`);
    return;
  }
  process.stderr.write(describe(identity));
  process.stdout.write(`${token}\n`);
}

/** What a node will make of the token: a name that it would refuse is refused here. */
function identityOf({ account, ...claims }: { readonly account: string }, exp: number): Identity {
  try {
    return accountOf({ ...claims, sub: account, exp });
  } catch {
    throw new UnusableError('--name takes 1 to 40 characters that can be seen, and --account 1 to 500');
  }
}

function streamOf(given: string): StreamId {
  const stream = StreamId.safeParse(given);
  if (stream.success) return stream.data;
  throw new UnusableError(`--stream: ${stream.error.issues[0]?.message}`);
}

function keyFor({ keys, data }: Flags) {
  const named = keys ?? (data === undefined ? process.env['TANGAZA_TOKEN_KEYS'] || undefined : undefined);
  if (named !== undefined) return signingKeyIn(named);
  const file = join(data ?? usualFolder, tokenKeysName);
  try {
    return signingKeyIn(file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UnusableError(
      `${why}. Start a demo with 'npm start', name its folder with --data DIR, or a region's file of keys with --keys FILE.`,
    );
  }
}

function describe({ user, permissions, stream, expiresAt }: Identity): string {
  const may = permissions.length === 0 ? 'may comment' : `may comment, ${permissions.join(', ')}`;
  const where = stream === undefined ? '' : ` on ${stream} alone`;
  return `${user.name} (${user.id}) ${may}${where} until ${expiresAt}:\n`;
}
