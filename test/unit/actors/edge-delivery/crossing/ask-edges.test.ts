/** How edges of a stream's home are asked for what is not stored here (R5). */
import { expect, test } from 'vitest';
import { askEdges } from '../../../../../actors/edge-delivery/crossing/ask-edges.ts';
import { SilentSources } from '../../../../../actors/edge-delivery/crossing/silent-sources.ts';
import { errorCodeOf, TangazaError } from '../../../../../cluster/errors/tangaza-error.ts';
import { RegionId } from '../../../../../cluster/model/ids.ts';
import { silentLogger } from '../../../../../cluster/observe/logger.ts';
import { noMetrics } from '../../../../../cluster/observe/metrics.ts';
import { nothingElsewhere } from '../../../../../cluster/region/elsewhere.ts';
import { HandClock, settled } from '../../../../support/regions/hand-clock.ts';
import { edgeAt } from '../../../../support/regions/memory-elsewhere.ts';

const edgeOf = (id: string) => edgeAt('eu', id);
const edges = ['n1', 'n2', 'n3'].map(edgeOf);

type Reply = 'mute' | 'given' | TangazaError;

/** Edges that all answer in the same way, or as `replies` says. */
class Rig {
  readonly clock = new HandClock();
  readonly asked: string[] = [];
  readonly replies = new Map<string, Reply>();
  reply: Reply = 'mute';
  outcome: unknown;
  readonly silent = new SilentSources({ clock: this.clock, logger: silentLogger, metrics: noMetrics });

  async ask(): Promise<void> {
    this.asked.length = 0;
    this.outcome = undefined;
    const ports = {
      clock: this.clock,
      elsewhere: { ...nothingElsewhere, edges: () => edges },
      silent: this.silent,
      roundTripMs: () => undefined,
    };
    const about = { home: RegionId.parse('eu'), name: 'demo', what: 'It' };
    void askEdges(ports, about, ({ httpUrl }, signal) => this.#answer(httpUrl, signal)).then(
      (body) => (this.outcome = body),
      (error: unknown) => (this.outcome = errorCodeOf(error)),
    );
    await settled();
  }

  #answer(httpUrl: string, signal: AbortSignal): Promise<string> {
    this.asked.push(httpUrl);
    const reply = this.replies.get(httpUrl) ?? this.reply;
    if (reply === 'given') return Promise.resolve(httpUrl);
    const { promise, reject } = Promise.withResolvers<string>();
    if (reply !== 'mute') reject(reply);
    signal.addEventListener('abort', () => reject(signal.reason));
    return promise;
  }
}

test('where all edges of the home are mute, the answer comes after 5 s', async () => {
  const rig = new Rig();
  await rig.ask();
  await rig.clock.pass(4950);
  const before = rig.outcome;
  await rig.clock.pass(50);
  expect({ before, outcome: rig.outcome, asked: rig.asked.length }).toEqual({
    before: undefined,
    outcome: 'UNAVAILABLE',
    asked: 3,
  });
});

// Goal: one mute edge costs a page of pictures its first moment alone. Method: the first in line is mute; then the same is asked for again.
test('an edge that says nothing for 1.5 s makes the next one be asked, and comes last from then on', async () => {
  const rig = new Rig();
  rig.reply = 'given';
  await rig.ask();
  const [first = ''] = rig.asked;
  rig.replies.set(first, 'mute');
  await rig.ask();
  await rig.clock.pass(1450);
  const before = rig.outcome;
  await rig.clock.pass(50);
  const second = rig.outcome;
  await rig.ask();
  expect({ before, isOther: second !== first, again: rig.outcome, asked: rig.asked }).toEqual({
    before: undefined,
    isOther: true,
    again: second,
    asked: [second],
  });
});

test('what the home lacks is asked of one edge, and its word is passed on', async () => {
  const rig = new Rig();
  rig.reply = new TangazaError('STREAM_NOT_LIVE');
  await rig.ask();
  expect({ outcome: rig.outcome, asked: rig.asked.length }).toEqual({ outcome: 'STREAM_NOT_LIVE', asked: 1 });
});

test('an edge that is busy is asked for objects as before, and where all are that is the answer', async () => {
  const rig = new Rig();
  rig.reply = new TangazaError('OVERLOADED', 'it answers 503 OVERLOADED');
  await rig.ask();
  expect({
    outcome: rig.outcome,
    asked: rig.asked.length,
    silent: edges.filter((edge) => rig.silent.isSilent(edge)),
  }).toEqual({ outcome: 'OVERLOADED', asked: 3, silent: [] });
});
