import { expect, test } from 'vitest';
import {
  advance,
  goneMs,
  helloMs,
  newSocket,
  pingMs,
  type Advanced,
  type LiveSocket,
  type SocketEvent,
} from '../../../../../actors/edge-delivery/socket/live-socket.ts';
import { socketCloses } from '../../../../../cluster/contract/audience/socket-closes.ts';
import { ClientMessage } from '../../../../../cluster/contract/audience/socket-messages.ts';
import { TangazaError } from '../../../../../cluster/errors/tangaza-error.ts';
import { clientIdOf } from '../../../../support/audience/said.ts';

const says = (message: object, nowMs = 0): SocketEvent => ({
  kind: 'heard',
  nowMs,
  heard: { kind: 'message', message: ClientMessage.parse(message) },
});
const comment = (number: number): object => ({
  type: 'comment',
  clientId: clientIdOf(number),
  text: `comment ${number}`,
});
const hello = says({ type: 'hello' });

/** Lets events happen in order. @returns the last state, and all effects */
function play(...events: readonly SocketEvent[]): Advanced {
  return events.reduce<Advanced>(
    ({ socket, effects }, event) => {
      const next = advance(socket, event);
      return { socket: next.socket, effects: [...effects, ...next.effects] };
    },
    { socket: newSocket(0), effects: [] },
  );
}
const greeted = (): LiveSocket => play(hello, { kind: 'welcomed' }).socket;

test('hello joins, and what is said before the welcome is done behind it, in order', () => {
  const { socket, effects } = play(hello, says(comment(1)), says(comment(2)), { kind: 'welcomed' });
  expect(socket.kind).toBe('greeted');
  expect(
    effects.map((effect) =>
      effect.kind === 'do' && effect.deed.type === 'comment' ? effect.deed.clientId : effect.kind,
    ),
  ).toEqual(['join', clientIdOf(1), clientIdOf(2)]);
});

test('what is said before the welcome is bounded, and its sender is told', () => {
  const many = Array.from({ length: 20 }, (_, index) => says(comment(index)));
  const { effects } = play(hello, ...many);
  expect(effects.filter(({ kind }) => kind === 'tell')).toHaveLength(4);
  expect(effects.at(-1)).toMatchObject({ kind: 'tell', about: { to: 'comment', clientId: clientIdOf(19) } });
});

test('a socket whose first message is not hello ends', () => {
  expect(play(says(comment(1)))).toMatchObject({
    socket: { kind: 'closed' },
    effects: [{ kind: 'tell' }, { kind: 'end', close: socketCloses.noHello }],
  });
});

test('a second hello changes who it is once it is welcome, and is refused before', () => {
  expect(play(hello, hello).effects.map(({ kind }) => kind)).toEqual(['join', 'tell']);
  expect(advance(greeted(), hello).effects).toMatchObject([{ kind: 'become' }]);
});

test('a ping is answered in every state', () => {
  for (const socket of [newSocket(0), play(hello).socket, greeted()])
    expect(advance(socket, says({ type: 'ping' })).effects).toEqual([{ kind: 'pong' }]);
});

test('a fault is told and the socket goes on, unless the fault ends it', () => {
  const error = new TangazaError('BAD_REQUEST');
  const fault = (close?: typeof socketCloses.binary): SocketEvent => ({
    kind: 'heard',
    nowMs: 0,
    heard: { kind: 'fault', error, ...(close === undefined ? {} : { close }) },
  });
  expect(advance(greeted(), fault())).toMatchObject({
    socket: { kind: 'greeted' },
    effects: [{ kind: 'tell', error }],
  });
  expect(advance(greeted(), fault(socketCloses.binary))).toMatchObject({
    socket: { kind: 'closed' },
    effects: [{ kind: 'tell', error }, { kind: 'end' }],
  });
});

test('hello is waited for until its bound, whatever else is said', () => {
  const waiting = advance(newSocket(0), says({ type: 'ping' }, helloMs - 1)).socket;
  expect(advance(waiting, { kind: 'time', nowMs: helloMs - 1 }).effects).toEqual([]);
  expect(advance(waiting, { kind: 'time', nowMs: helloMs }).effects).toEqual([
    { kind: 'end', close: socketCloses.late },
  ]);
});

test('a silent peer is pinged every 25 s, and is gone after 75 s; a sign of life begins anew', () => {
  let socket = greeted();
  const pings: number[] = [];
  for (let nowMs = 0; nowMs < goneMs; nowMs += 1000) {
    const next = advance(socket, { kind: 'time', nowMs });
    if (next.effects.some(({ kind }) => kind === 'ping')) pings.push(nowMs);
    socket = next.socket;
  }
  expect(pings).toEqual([pingMs, 2 * pingMs]);
  const alive = advance(socket, { kind: 'alive', nowMs: goneMs - 1 }).socket;
  expect(advance(alive, { kind: 'time', nowMs: goneMs }).socket.kind).toBe('greeted');
  expect(advance(socket, { kind: 'time', nowMs: goneMs })).toMatchObject({
    socket: { kind: 'closed' },
    effects: [{ kind: 'end', close: socketCloses.late }],
  });
});

test('nothing wakes a closed socket', () => {
  const { socket } = play({ kind: 'gone' });
  const events: readonly SocketEvent[] = [
    hello,
    { kind: 'welcomed' },
    { kind: 'flooded' },
    { kind: 'time', nowMs: 1e9 },
    { kind: 'refused', close: socketCloses.fault },
  ];
  for (const event of events) expect(advance(socket, event)).toEqual({ socket, effects: [] });
});
