/** Turns a line of a node's log into a sentence for the demo's terminal; most lines give none. A part of the story's reducer. */
import { z } from 'zod';
import { regionOf, seconds, without, type Logged, type Sentence, type Story, type Told } from './state.ts';

/** The log lines that have a sentence. A tidy test finds each of them in the code that logs it. */
export const heard = {
  isListening: 'HTTP is listening',
  owns: 'this node owns the stream',
  waits: 'the node waits',
  published: 'a publisher is on air',
  unpublished: 'the publisher is gone',
  refused: 'RTMP connection refused',
  natsGone: 'NATS is gone: viewers are still served, changes of ownership wait',
  natsBack: 'NATS is back',
  drains: 'the node drains',
  drained: 'the node has drained',
  memberGone: 'a member is gone',
  stoodStill: 'this process stood still',
  linkDown: 'the link to another region does not work',
  linkUp: 'the link to another region works',
  storeFails: 'the segment store fails; what waits for it is tried again',
  storeWorks: 'the segment store works again',
} as const;

const text = z.string().catch('');
const Fields = z.object({
  stream: text,
  streamId: text,
  reason: text,
  waitsFor: text,
  seconds: z.number().catch(0),
  why: text,
  remoteAddress: text,
  encoder: text,
  code: text,
  detail: text,
  member: text,
  bootId: text,
  frozenMs: z.number().catch(0),
  to: text,
});
type Fields = z.infer<typeof Fields>;

const mostGone = 64;
/** A shorter standstill only shows a busy machine. */
const leastFrozenMs = 1000;

type Teller = (story: Story, node: string, fields: Fields, nowMs: number) => Told;

const tellers: Readonly<Record<string, Teller>> = {
  [heard.isListening]: isBack,
  [heard.owns]: owns,
  [heard.waits]: (story, node, { waitsFor, seconds: s, why }) =>
    say(story, `wait of ${node}`, `${node} has waited ${s} s for ${waitsFor}${bracketed(why)}`),
  [heard.published]: running((story, node, { streamId, remoteAddress, encoder }) =>
    say(
      story,
      `publishers at ${node}`,
      `a publisher of ${streamId} connected to ${node}${bracketed([remoteAddress, encoder].filter((word) => word !== '').join(', '))}`,
    ),
  ),
  [heard.unpublished]: running((story, node, { streamId, reason }) =>
    say(story, `publishers at ${node}`, `the publisher of ${streamId} left ${node}${bracketed(reason)}`),
  ),
  [heard.refused]: running((story, node, { code, detail }) =>
    say(story, `refusals at ${node}`, `${node} refused an RTMP connection: ${detail}${bracketed(code)}`),
  ),
  [heard.natsGone]: natsGone,
  [heard.natsBack]: natsBack,
  [heard.drains]: running((story, node) => say(story, `drain of ${node}`, `${node} drains`)),
  [heard.drained]: running((story, node) => say(story, `drain of ${node}`, `${node} has drained`)),
  [heard.memberGone]: memberGone,
  [heard.stoodStill]: running((story, node, { frozenMs }) =>
    frozenMs < leastFrozenMs
      ? { story, sentences: [] }
      : say(story, `standstills of ${node}`, `${node} stood still for ${seconds(frozenMs)}`),
  ),
  [heard.linkDown]: running(linkDown),
  [heard.linkUp]: linkUp,
  [heard.storeFails]: (story, node, { code, detail }) =>
    say(story, `store at ${node}`, `${node}: the segment store fails${bracketed(detail || code)}`),
  [heard.storeWorks]: (story, node) =>
    say(story, `store at ${node}`, `${node}: the segment store works again`),
};

export function nodeSentence(story: Story, { node, message, fields }: Logged, nowMs: number): Told {
  const teller = Object.hasOwn(tellers, message) ? tellers[message] : undefined;
  return teller === undefined ? { story, sentences: [] } : teller(story, node, Fields.parse(fields), nowMs);
}

/** Only once the demo is up, as at the start all of this is expected. */
function running(teller: Teller): Teller {
  return (story, node, fields, nowMs) =>
    story.phase === 'running' ? teller(story, node, fields, nowMs) : { story, sentences: [] };
}

function isBack(story: Story, node: string, _: Fields, nowMs: number): Told {
  const sinceMs = story.deadSinceMs.get(node);
  if (sinceMs === undefined) return { story, sentences: [] };
  const deadSinceMs = new Map(story.deadSinceMs);
  deadSinceMs.delete(node);
  return say(
    { ...story, deadSinceMs },
    `end of ${node}`,
    `${node} is back after ${seconds(nowMs - sinceMs)}`,
  );
}

/** A stream may be on air in several regions, each of which has an owner of it. */
function owns(story: Story, node: string, { stream, reason }: Fields, nowMs: number): Told {
  const key = `${regionOf(node)} ${stream}`;
  const former = story.ownerOf.get(key);
  const after = { ...story, ownerOf: new Map(story.ownerOf).set(key, node) };
  if (story.phase !== 'running') return { story: after, sentences: [] };
  const diedMs = former === undefined || former === node ? undefined : story.deadSinceMs.get(former);
  const since = diedMs === undefined ? '' : ` after ${seconds(nowMs - diedMs)}`;
  return say(after, `owner of ${stream}`, `${node} owns ${stream}${since}${bracketed(reason)}`);
}

/** Each node logs this, and the first one of a region is enough. */
function natsGone(story: Story, node: string, _: Fields, nowMs: number): Told {
  const region = regionOf(node);
  const after = { ...story, withoutNats: new Set(story.withoutNats).add(node) };
  if (isAnyWithout(story, region) || story.phase !== 'running') return { story: after, sentences: [] };
  return say(
    { ...after, natsGoneMs: new Map(story.natsGoneMs).set(region, nowMs) },
    `NATS of ${region}`,
    `NATS of ${region} does not answer: what is on air plays on to its end, nothing new is shown until it is back`,
  );
}

/** Printed when the last node of a region has NATS again. */
function natsBack(story: Story, node: string, _: Fields, nowMs: number): Told {
  const region = regionOf(node);
  const after = { ...story, withoutNats: without(story.withoutNats, node) };
  if (isAnyWithout(after, region) || !isAnyWithout(story, region) || story.phase !== 'running')
    return { story: after, sentences: [] };
  const sinceMs = story.natsGoneMs.get(region) ?? nowMs;
  return say(after, `NATS of ${region}`, `NATS of ${region} is back after ${seconds(nowMs - sinceMs)}`);
}

/** Two nodes of a region hold a client to the other one, and the first that says so is enough. */
function linkDown(story: Story, node: string, { to, why }: Fields, nowMs: number): Told {
  const link = `${regionOf(node)} ${to}`;
  if (story.cutOffMs.has(link)) return { story, sentences: [] };
  return say(
    { ...story, cutOffMs: new Map(story.cutOffMs).set(link, nowMs) },
    `link of ${link}`,
    `${node} does not reach ${to}${bracketed(why)}: ${regionOf(node)} goes on by itself`,
  );
}

function linkUp(story: Story, node: string, { to }: Fields, nowMs: number): Told {
  const link = `${regionOf(node)} ${to}`;
  const sinceMs = story.cutOffMs.get(link);
  if (sinceMs === undefined) return { story, sentences: [] };
  const cutOffMs = new Map(story.cutOffMs);
  cutOffMs.delete(link);
  return say(
    { ...story, cutOffMs },
    `link of ${link}`,
    `${node} reaches ${to} again after ${seconds(nowMs - sinceMs)}`,
  );
}

const isAnyWithout = ({ withoutNats }: Story, region: string): boolean =>
  [...withoutNats].some((node) => regionOf(node) === region);

/** The supervisor reports processes that died. This is for one that lives and does not answer. */
function memberGone(story: Story, _: string, { member, bootId, why }: Fields): Told {
  const life = `${member} ${bootId}`;
  if (story.gone.includes(life)) return { story, sentences: [] };
  const after = { ...story, gone: [...story.gone, life].slice(-mostGone) };
  const isKnown = story.deadSinceMs.has(member) || story.phase !== 'running' || why !== 'died';
  return isKnown
    ? { story: after, sentences: [] }
    : say(after, `end of ${member}`, `${member} does not answer: the others go on without it`);
}

function say(story: Story, about: string, words: string): Told {
  const sentence: Sentence = { about, text: words };
  return { story, sentences: [sentence] };
}

const bracketed = (words: string): string => (words === '' ? '' : ` (${words})`);
