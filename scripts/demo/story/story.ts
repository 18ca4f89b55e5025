/**
 * Turns what happens in a demo into sentences for its terminal: a reducer over what the supervisor sees and what nodes log.
 *
 * It prints what a viewer, a publisher or an operator could notice: deaths and returns, owners, publishers, NATS, drains, waits. When
 * several report the same thing, it prints one sentence. Of the sentences about one thing it prints `floods.most` within `floods.withinMs`,
 * and then counts the others and names their number once.
 */
import { unreachable } from '../../../cluster/model/unreachable.ts';
import { describeEnding, type ProcessEvent } from '../process-event.ts';
import { nodeSentence } from './nodes.ts';
import { seconds, without, type Logged, type Sentence, type Story, type Told } from './state.ts';

export type StoryEvent =
  | Exclude<ProcessEvent, { readonly kind: 'line' }>
  | Logged
  /** Everything answers. Before this only what delays the start is printed. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'stopping' }
  /** Comes about once a second, and ends what is being counted. */
  | { readonly kind: 'tick' };

export const floods = { most: 3, withinMs: 10_000 } as const;
const minuteMs = 60_000;
/** This many deaths in a minute are no accident. */
const loopDeaths = 3;

/** @returns the story after the event, and the lines to print */
export function tell(
  story: Story,
  event: StoryEvent,
  nowMs: number,
): { readonly story: Story; readonly lines: readonly string[] } {
  const ended = endFloods(story, nowMs);
  const told = sentencesOf(ended.story, event, nowMs);
  const bounded = boundFloods(told, nowMs);
  return { story: bounded.story, lines: [...ended.lines, ...bounded.lines] };
}

function sentencesOf(story: Story, event: StoryEvent, nowMs: number): Told {
  switch (event.kind) {
    case 'ready':
      return { story: { ...story, phase: 'running' }, sentences: [] };
    case 'stopping':
      return { story: { ...story, phase: 'stopping' }, sentences: [] };
    case 'started':
      return { story, sentences: startedAgain(story, event) };
    case 'ended':
      return processEnded(story, event, nowMs);
    case 'logged':
      return story.phase === 'stopping' ? { story, sentences: [] } : nodeSentence(story, event, nowMs);
    case 'tick':
      return { story, sentences: [] };
    default:
      return unreachable(event);
  }
}

/** A node reports by itself when it is back. */
function startedAgain(
  { phase }: Story,
  { name, isAgain }: Extract<StoryEvent, { kind: 'started' }>,
): readonly Sentence[] {
  if (!isAgain || phase !== 'running' || name.includes('-node-')) return [];
  return [{ about: name, text: `${name} runs again` }];
}

function processEnded(story: Story, event: Extract<StoryEvent, { kind: 'ended' }>, nowMs: number): Told {
  const { name, how, next, lastWords } = event;
  if (next.kind !== 'startsAgain') return { story, sentences: [] };
  const deaths = [...(story.deathsMs.get(name) ?? []).filter((ms) => ms > nowMs - minuteMs), nowMs];
  const after = {
    ...story,
    deadSinceMs: new Map(story.deadSinceMs).set(name, story.deadSinceMs.get(name) ?? nowMs),
    deathsMs: new Map(story.deathsMs).set(name, deaths),
    withoutNats: without(story.withoutNats, name),
  };
  const isOrderly = how.kind === 'code' && how.code === 0;
  const why = how.kind === 'code' ? withoutKeys(lastWords.at(-1) ?? '') : '';
  const what = isOrderly
    ? `${name} has left`
    : `${name} died (${describeEnding(how)})${why === '' ? '' : `: ${why}`}`;
  const again =
    deaths.length < loopDeaths
      ? 'started again'
      : `the ${ordinal(deaths.length)} time in a minute; tried again in ${seconds(next.inMs)}`;
  return { story: after, sentences: [{ about: `end of ${name}`, text: `${what}; ${again}` }] };
}

function boundFloods({ story, sentences }: Told, nowMs: number): { story: Story; lines: readonly string[] } {
  const counted = new Map(story.floods);
  const lines: string[] = [];
  for (const { about, text } of sentences) {
    const flood = counted.get(about) ?? { sinceMs: nowMs, told: 0, untold: 0 };
    const isTold = flood.told < floods.most;
    if (isTold) lines.push(text);
    counted.set(about, {
      ...flood,
      told: flood.told + (isTold ? 1 : 0),
      untold: flood.untold + (isTold ? 0 : 1),
    });
  }
  return { story: sentences.length === 0 ? story : { ...story, floods: counted }, lines };
}

function endFloods(story: Story, nowMs: number): { story: Story; lines: readonly string[] } {
  const over = [...story.floods].filter(([, { sinceMs }]) => nowMs >= sinceMs + floods.withinMs);
  if (over.length === 0) return { story, lines: [] };
  const left = new Map(story.floods);
  for (const [about] of over) left.delete(about);
  const lines = over.flatMap(([about, { untold }]) =>
    untold === 0 ? [] : [`${about}: ${untold} more of these in ${floods.withinMs / 1000} s; see the logs`],
  );
  return { story: { ...story, floods: left }, lines };
}

/** Removes the stream key at the end of a publish URL. */
function withoutKeys(text: string): string {
  return text.replaceAll(/(rtmps?:\/\/[^\s/]+\/[^\s/]+\/)[^\s:]+/g, '$1[key]');
}

function ordinal(count: number): string {
  return count === 3 ? '3rd' : `${count}th`;
}
