/**
 * `tangaza load`: simulated viewers who comment on a stream of a cluster, and a report of what was lost, doubled or went back. Exit code 0
 * when nothing was.
 */
import { Command } from 'commander';
import { EdgeList } from '../../cluster/contract/api/control-routes.ts';
import { systemClock } from '../../cluster/time/clock.system.ts';
import { callApi, withApiOptions, type ApiOptions } from '../client/api.ts';
import { NumberOption } from '../usage/number-option.ts';
import { StopRequest } from './stop-request.system.ts';

interface Options extends ApiOptions {
  readonly stream: string;
  readonly comments: number;
  readonly watchers: number;
  readonly writers: number;
  readonly seconds: number;
  readonly addresses?: true;
}

const tellEveryMs = 5000;

export function loadCommand(): Command {
  const whole = { isWhole: true } as const;
  return withApiOptions(
    new Command('load').description(
      'Simulated viewers who comment at every edge, come back after failures, and report what was lost, doubled or went back. Ctrl-C ends the load and prints the report. Exit code 1 when something is wrong.',
    ),
  )
    .option('--stream <id>', 'the stream that they comment on', 'demo')
    .addOption(
      new NumberOption('--comments <n>', 'comments a second, of all of them together', {
        isWhole: false,
        least: 0,
        most: 2000,
      }).default(10),
    )
    .addOption(
      new NumberOption('--watchers <n>', 'how many have a live socket', {
        ...whole,
        least: 1,
        most: 2000,
      }).default(10),
    )
    .addOption(
      new NumberOption('--writers <n>', 'how many more only comment; an author may comment every 2 s', {
        ...whole,
        least: 0,
        most: 2000,
      }).default(30),
    )
    .addOption(
      new NumberOption('--seconds <n>', 'how long they comment', { ...whole, least: 1, most: 3600 }).default(
        60,
      ),
    )
    .option(
      '--addresses',
      'each comes from an address of its own (X-Forwarded-For), where TANGAZA_TRUSTED_PROXIES names this machine; otherwise an edge takes 20 comments a second from it',
    )
    .action(load);
}

async function load(options: Options): Promise<void> {
  const { startLoad } = await import('../audience/audience-load.ts');
  const { reportText } = await import('../audience/report.ts');
  const path = `/v1/streams/${encodeURIComponent(options.stream)}/edges`;
  const { items } = await callApi(options, { path }, EdgeList);
  const say = (line: string): void => void process.stderr.write(`· ${line}\n`);
  const { signal } = new StopRequest();
  await using running = await startLoad(
    {
      stream: options.stream,
      edges: items.map(({ url }) => new URL(url).origin),
      watchers: options.watchers,
      writers: options.writers,
      perSecond: options.comments,
      hasAddresses: options.addresses === true,
    },
    systemClock,
  );
  say(`${options.watchers + options.writers} users at ${items.length} edges`);
  const untilMs = systemClock.monotonicMs() + 1000 * options.seconds;
  while (systemClock.monotonicMs() < untilMs && !signal.aborted && !running.isFull) {
    const leftMs = untilMs - systemClock.monotonicMs();
    await systemClock.sleep(Math.min(tellEveryMs, leftMs), signal).catch(() => {});
    const { sent, acknowledged } = running.counts;
    say(`${sent} sent, ${acknowledged} acknowledged`);
  }
  say('nobody says any more: waiting until all have heard everything; Ctrl-C once more ends at once');
  const report = await running.end();
  process.stdout.write(`${options.json ? JSON.stringify(report) : reportText(report)}\n`);
  process.exitCode = report.isGood ? 0 : 1;
}
