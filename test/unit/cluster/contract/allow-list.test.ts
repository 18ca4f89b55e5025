/** What may cross between regions is listed (R2). */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { allowList } from '../../../../cluster/contract/regions/allow-list.ts';
import { claiming, streamHeads } from '../../../../cluster/contract/regions/claims.ts';
import { readAnswer, readEvent, readParams } from '../../../../cluster/region/wire.ts';

const folder = join(import.meta.dirname, '../../../../cluster/contract/regions');

const isCrossing = (value: unknown): value is { readonly name: string } =>
  typeof value === 'object' && value !== null && 'perSecond' in value && 'name' in value;

// Goal: nobody defines a call or an event that gateways then refuse. Method: every file of the folder is looked through for them.
test('every call and event of the folder is in the allow-list, once, under a name of its own', async () => {
  const files = readdirSync(folder).filter((file) => !['allow-list.ts', 'crossing.ts'].includes(file));
  const modules: object[] = await Promise.all(files.map((file) => import(join(folder, file))));
  const defined = modules.flatMap((module) => Object.values(module).filter(isCrossing));
  const listed = [...allowList.calls, ...allowList.events].map(({ name }) => name);
  expect(listed.toSorted()).toEqual(defined.map(({ name }) => name).toSorted());
  expect(new Set(listed).size).toBe(listed.length);
});

test('every name can be a part of a subject, and none is the one of a gateway itself', () => {
  for (const { name } of [...allowList.calls, ...allowList.events])
    expect(name).toMatch(/^(?!hello$|rpc$|inbox$)[a-z][a-z0-9-]{0,63}$/);
});

test('an older node hears a claim that a newer one tells with a field more', () => {
  const claim = { stream: 'demo', isOver: false, node: 'n1' };
  expect(readEvent(claiming, JSON.stringify({ ...claim, since: 'later' }))).toEqual(claim);
});

const refusesMore = (shape: z.ZodType): boolean =>
  JSON.stringify(z.toJSONSchema(shape, { io: 'input', unrepresentable: 'any' })).includes(
    '"additionalProperties":false',
  );

// Goal: a field that is added to what crosses makes no older node deaf. Method: the JSON Schema of each shape says whether something in it refuses other
// fields.
test('no event, no call and no answer refuses fields that it does not know', () => {
  const strict = [...allowList.calls, ...allowList.events].flatMap((listed) => {
    const shapes = Object.entries<unknown>(listed).flatMap(([what, shape]) =>
      shape instanceof z.ZodType ? [{ what, shape }] : [],
    );
    const isCall = allowList.calls.some((call) => call === listed);
    if (shapes.length !== (isCall ? 2 : 1)) throw new Error(`${listed.name} lacks a shape`);
    return shapes.flatMap(({ what, shape }) => (refusesMore(shape) ? [`${listed.name} ${what}`] : []));
  });
  expect(strict).toEqual([]);
});

test('an older node takes the answer of a newer one that has a field more, and its question', () => {
  const heads = { isClaiming: false, head: { epoch: 7, nextNumber: 3 } };
  const newer = { ...heads, since: 'later', head: { ...heads.head, since: 'later' } };
  expect(readAnswer(streamHeads, { result: newer })).toEqual(heads);
  expect(readParams(streamHeads, { stream: 'demo', since: 'later' })).toEqual({ stream: 'demo' });
});
