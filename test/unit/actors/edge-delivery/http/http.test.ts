import { expect, test } from 'vitest';
import { head, problemReply } from '../../../../../actors/edge-delivery/http/http.ts';
import { catalogue, isErrorCode } from '../../../../../cluster/errors/catalogue.ts';
import { TangazaError } from '../../../../../cluster/errors/tangaza-error.ts';

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

test('a header block refuses what could break out of a header', () => {
  expect(() => head('text/plain', { link: '</x>\r\nset-cookie: a=b' })).toThrow('not a header value');
  expect(() => head('text/plain', { 'x: y\r\nz': '1' })).toThrow('not a header name');
  expect(textOf(head('text/plain', { link: '</x>' }))).toContain('text/plain\r\nlink: </x>\r\n');
});

test('a caller cannot overwrite the CORS headers of a block', () => {
  expect(
    textOf(head('a/b', { 'access-control-allow-origin': 'x' })).match(/access-control-allow-origin/g),
  ).toHaveLength(1);
});

test('each error of the catalogue becomes a problem document with its status and a stable type', () => {
  for (const code of Object.keys(catalogue).filter(isErrorCode)) {
    const reply = problemReply(new TangazaError(code));
    expect(reply.status).toBe(catalogue[code].status);
    expect(JSON.parse(textOf(reply.body))).toMatchObject({
      code,
      status: reply.status,
      title: catalogue[code].title,
    });
  }
});

test('errors that pass say when to come again; unknown ones keep their words to themselves', () => {
  expect(textOf(problemReply(new TangazaError('OVERLOADED')).head)).toContain('retry-after: 1');
  expect(textOf(problemReply(new Error('password is x')).body)).not.toContain('password');
});
