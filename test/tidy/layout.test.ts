import { describe, expect, test } from 'vitest';
import {
  checkBarrels,
  checkFirstLines,
  checkFolders,
  checkLengths,
  checkMarks,
  checkNames,
  checkPacked,
  checkServices,
  checkWords,
} from './layout.ts';
import { readTree } from './tree.ts';

const files = readTree();
const file = (path: string, text = '/** What it is. */\n') => ({ path, text });
const todo = ['TO', 'DO'].join('');

test('each actor has exactly one service', () => expect(checkServices(files)).toEqual([]));
test('no file is longer than 400 lines', () => expect(checkLengths(files)).toEqual([]));
test('names are in kebab-case and at most four folders down', () => expect(checkNames(files)).toEqual([]));
test('no folder holds more than 18 source files', () => expect(checkFolders(files)).toEqual([]));
test('no name is vague', () => expect(checkWords(files)).toEqual([]));
test('there are no barrel files', () => expect(checkBarrels(files)).toEqual([]));
test('marks in comments name an issue', () => expect(checkMarks(files)).toEqual([]));
test('the first line of each source file says what it is', () => expect(checkFirstLines(files)).toEqual([]));
test('no object literal is spread', () => expect(checkPacked(files)).toEqual([]));

describe('each rule can fail', () => {
  test('an actor without a service, one with two, and a library with one', () => {
    expect(checkServices([file('actors/ads/ads.ts')])).toHaveLength(1);
    expect(checkServices([file('actors/ads/ads.service.ts'), file('actors/ads/ad.service.ts')])).toHaveLength(
      1,
    );
    expect(checkServices([file('actors/media/media.service.ts')])).toHaveLength(1);
    expect(checkServices([file('actors/ads/ads.service.ts'), file('actors/ads/ads.ts')])).toEqual([]);
  });

  test('a file of 401 lines', () => {
    expect(checkLengths([file('cluster/a.ts', '\n'.repeat(401))])).toHaveLength(1);
    expect(checkLengths([file('cluster/a.ts', '\n'.repeat(400))])).toEqual([]);
  });

  test('a folder of 19 files', () => {
    const named = (count: number) => Array.from({ length: count }, (_, at) => file(`cluster/x/a${at}.ts`));
    expect(checkFolders(named(19))).toHaveLength(1);
    expect(checkFolders(named(18))).toEqual([]);
  });

  test('a name in another case, and one too deep', () => {
    expect(checkNames([file('cluster/time/SystemClock.ts')])).toHaveLength(1);
    expect(checkNames([file('cluster/time/system_clock.ts')])).toHaveLength(1);
    expect(checkNames([file('actors/media/hls/low/latency/parts.ts')])).toHaveLength(1);
    expect(checkNames([file('actors/media/hls/media-playlist.ts'), file('cluster/x/y.nats.ts')])).toEqual([]);
  });

  test('a spread literal, but no spread value or choice', () => {
    const packed = ['..', '.{ b, c }'].join('');
    expect(checkPacked([file('cluster/a.ts', `f({ a, ${packed} });`)])).toHaveLength(1);
    expect(checkPacked([file('cluster/a.ts', 'f({ ...a, ...(b ? { c } : {}) });')])).toEqual([]);
  });

  test('a name that says nothing', () => {
    expect(checkWords([file('cluster/time/time-utils.ts')])).toHaveLength(1);
    expect(checkWords([file('actors/ads/manager.ts')])).toHaveLength(1);
  });

  test('a barrel, by star, by list, and by name', () => {
    expect(
      checkBarrels([file('cluster/a.ts', "export * from './b.ts';\nexport const c = 1;\n")]),
    ).toHaveLength(1);
    expect(checkBarrels([file('cluster/a.ts', "/** All. */\nexport { b } from './b.ts';\n")])).toHaveLength(
      1,
    );
    expect(checkBarrels([file('cluster/index.ts', 'export const c = 1;\n')])).toHaveLength(1);
    expect(
      checkBarrels([file('cluster/a.ts', "import { b } from './b.ts';\nexport const c = b;\n")]),
    ).toEqual([]);
  });

  test('a mark without an issue', () => {
    expect(checkMarks([file('cluster/a.ts', `// ${todo}: later\n`)])).toHaveLength(1);
    expect(checkMarks([file('cluster/a.ts', `/** ${todo}(me) later */\n`)])).toHaveLength(1);
    expect(checkMarks([file('scripts/setup', `# ${todo} later\n`)])).toHaveLength(1);
    expect(checkMarks([file('cluster/a.ts', `// ${['FIX', 'ME'].join('')} now\n`)])).toHaveLength(1);
    expect(checkMarks([file('cluster/a.ts', `// @${todo}(#12) later\n`)])).toEqual([]);
  });

  test('a source file that begins with its imports', () => {
    expect(checkFirstLines([file('cluster/a.ts', "import './b.ts';\n")])).toHaveLength(1);
    expect(checkFirstLines([file('cluster/a.ts')])).toEqual([]);
  });
});
