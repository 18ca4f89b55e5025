/** Measures how long a comment of one region takes to a live socket of another, and to a screen there. */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import { makeGuest } from '../../audience/audience-client.http.ts';
import { clientIdAt } from '../../audience/client-id.ts';
import type { AudienceClient } from '../../audience/user-ports.ts';

export interface FarCommentsOptions {
  readonly stream: string;
  /** Where the comments are made: a URL without a path. */
  readonly near: string;
  /** Where they are heard. */
  readonly far: string;
  /** Shows the stream and its comments. */
  readonly page: Page;
  readonly comments: number;
}

/** In ms from just before the request to the API. Those that did not come are missing. */
export interface FarComments {
  readonly posted: number;
  readonly toSocketMs: readonly number[];
  readonly toScreenMs: readonly number[];
}

/** An author may comment every 2 s. */
const guests = 12;
const everyMs = 200;
const settleMs = 3000;
const Times = z.record(z.string(), z.number());

export async function measureFarComments(options: FarCommentsOptions): Promise<FarComments> {
  const { stream, near, far, page } = options;
  const authors: AudienceClient[] = [];
  for (let guest = 0; guest < guests; guest += 1)
    authors.push(await makeGuest(near, { stream, name: `Guest ${guest}`, address: `10.31.0.${guest + 1}` }));
  const heard = new Map<string, number>();
  const listener = await makeGuest(far, { stream, name: 'Listener', address: '10.31.1.1' });
  const socket = await listener.open(`${far.replace('http', 'ws')}/v1/streams/${stream}/socket`, {
    onFrame: (messages) => {
      for (const message of messages)
        if (message.type === 'comment') heard.set(message.comment.text, Date.now());
    },
    onClose: () => {},
  });
  socket.send({ type: 'hello' });
  await page.evaluate(noteTexts);
  await delay(settleMs);
  const said = await say(authors, options);
  await delay(settleMs);
  socket.close();
  const shown = new Map(Object.entries(Times.parse(await page.evaluate('window.benchShown'))));
  const latencies = (seen: ReadonlyMap<string, number>): readonly number[] =>
    [...said].flatMap(([text, saidMs]) => {
      const atMs = seen.get(text);
      return atMs === undefined ? [] : [atMs - saidMs];
    });
  return { posted: said.size, toSocketMs: latencies(heard), toScreenMs: latencies(shown) };
}

/** @returns when each text was said, of those that were taken */
async function say(
  authors: readonly AudienceClient[],
  { near, comments }: FarCommentsOptions,
): Promise<ReadonlyMap<string, number>> {
  const said = new Map<string, number>();
  const posting: Promise<void>[] = [];
  for (let number = 0; number < comments; number += 1) {
    const text = `Goal number ${number} of ${comments}`;
    const author = authors[number % authors.length];
    const saidMs = Date.now();
    const post = async (): Promise<void> => {
      const answer = await author?.post(near, { text, clientId: clientIdAt(saidMs, randomBytes(10)) });
      if (answer?.kind === 'taken') said.set(text, saidMs);
    };
    posting.push(post());
    await delay(everyMs);
  }
  await Promise.all(posting);
  return said;
}

/**
 * Runs in the page: notes when a paragraph of a comment is first drawn. It looks right behind each frame: within one, the page may draw after the
 * look, and the comment would be noted a frame late.
 */
const noteTexts = `
  window.benchShown = {};
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    for (const said of document.querySelectorAll('.comment .said')) {
      const text = said.textContent;
      if (text !== '' && !(text in window.benchShown)) window.benchShown[text] = Date.now();
    }
  };
  const framed = () => {
    port2.postMessage(0);
    requestAnimationFrame(framed);
  };
  requestAnimationFrame(framed);
`;
