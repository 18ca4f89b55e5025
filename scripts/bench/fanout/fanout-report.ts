/** Writes the report of `bench fanout` as Markdown, the verdict first. */
import type { Figure } from '../kept-runs.ts';
import {
  ageTargetMs,
  idleTargetBytes,
  manifestTargetMs,
  median,
  welcomeTargetMs,
  type FanoutCase,
  type FanoutResult,
  type Turn,
} from './fanout.ts';
import type { Kind } from './fanout-peers.ts';
import { mostReactionFrames, type ReactionTurn } from './reactions.ts';

const turnsOf = ({ rounds }: FanoutCase, kind: Kind): readonly Turn[] =>
  rounds.flat().filter((turn) => turn.kind === kind);
const middle = (one: FanoutCase, kind: Kind, of: (turn: Turn) => number): number =>
  median(turnsOf(one, kind).map(of));

export function fanoutReport(result: FanoutResult): string {
  const rows = result.cases.flatMap((one) =>
    one.kinds.map((kind) => {
      const ratio = kind === 'tangaza' ? '' : (one.ratios[kind] ?? NaN).toFixed(2);
      const cells = [
        one.name,
        kind,
        middle(one, kind, (turn) => turn.cpuMicrosecondsPerMessage).toFixed(2),
        `${Math.round(100 * middle(one, kind, (turn) => turn.busy))} %`,
        ratio,
        middle(one, kind, (turn) => turn.ageP99Ms).toFixed(0),
        String(Math.max(...turnsOf(one, kind).map(({ missing }) => missing))),
      ];
      return `| ${cells.join(' | ')} |`;
    }),
  );
  const idle = Object.entries(result.idleBytes).map(([kind, bytes]) => `${kind} ${bytes}`);
  return [
    '## bench fanout',
    '',
    `**What a delivered message costs the server: targets ${result.isReached ? 'reached' : 'NOT reached'}.**`,
    '',
    'Messages of 200 bytes; server on core 0, sockets on core 1; medians of interleaved rounds.',
    '',
    '| case | server | CPU µs for each | of one core | edge / it | p99 of its age, ms | missing |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
    ...result.reactions.map(
      ({ name, taps, counted, mostFrames, busy }) =>
        `${name}: ${counted} of ${taps} counted, at most ${mostFrames} frames in a second to each, ${Math.round(100 * busy)} % of the edge's core.`,
    ),
    `Idle, a socket keeps (bytes): ${idle.join(', ')}. 5,000 joins in 10 s: p99 of welcome ${result.welcomeP99Ms.toFixed(0)} ms.`,
    '',
  ].join('\n');
}

export function fanoutFigures(result: FanoutResult): readonly Figure[] {
  return [
    ...result.cases.flatMap(caseFigures),
    ...Object.entries(result.idleBytes).map(([kind, value]) => ({
      what: `idle socket: ${kind}`,
      value,
      unit: 'bytes',
      ...(kind === 'tangaza' ? { target: `<= ${idleTargetBytes}` } : {}),
    })),
    {
      what: '5,000 joins in 10 s: p99 of welcome',
      value: result.welcomeP99Ms,
      unit: 'ms',
      target: `<= ${welcomeTargetMs}`,
    },
    ...result.reactions.flatMap(reactionFigures),
  ];
}

function reactionFigures({ name, taps, counted, mostFrames, busy }: ReactionTurn): readonly Figure[] {
  return [
    {
      what: `${name}: frames to a socket in any second`,
      value: mostFrames,
      unit: '',
      target: `<= ${mostReactionFrames}`,
    },
    { what: `${name}: counted`, value: (100 * counted) / taps, unit: '%', target: '100' },
    { what: `${name}: the edge's core`, value: 100 * busy, unit: '%' },
  ];
}

function caseFigures(one: FanoutCase): readonly Figure[] {
  const { name, target } = one;
  const ratios = Object.entries(one.ratios).map(([kind, value]) => ({
    what: `${name}: CPU of the edge for each message, of ${kind}`,
    value,
    unit: 'times',
    ...(target !== undefined && target.of.some((judged) => judged === kind)
      ? { target: `<= ${target.share.toFixed(2)}` }
      : {}),
  }));
  const busy = middle(one, 'tangaza', (turn) => turn.busy);
  const held = target === undefined;
  return [
    ...ratios,
    { what: `${name}: the edge's core`, value: 100 * busy, unit: '%', ...(held ? { target: '< 100' } : {}) },
    {
      what: `${name}: p99 of a message's age`,
      value: middle(one, 'tangaza', (turn) => turn.ageP99Ms),
      unit: 'ms',
      ...(held ? { target: `<= ${ageTargetMs}` } : {}),
    },
    ...(held
      ? [
          {
            what: `${name}: p99 of a manifest meanwhile`,
            value: middle(one, 'tangaza', (turn) => turn.manifestP99Ms),
            unit: 'ms',
            target: `<= ${manifestTargetMs}`,
          },
        ]
      : []),
  ];
}
