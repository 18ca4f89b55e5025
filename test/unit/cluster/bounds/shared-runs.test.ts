import { expect, test } from 'vitest';
import { SharedRuns } from '../../../../cluster/bounds/shared-runs.ts';

/** Work that ends when it is told to. */
class Work {
  readonly #ends: PromiseWithResolvers<void>[] = [];

  readonly run = (): Promise<void> => {
    const end = Promise.withResolvers<void>();
    this.#ends.push(end);
    return end.promise;
  };

  get begun(): number {
    return this.#ends.length;
  }

  end(index: number): void {
    this.#ends[index]?.resolve();
  }

  fail(index: number): void {
    this.#ends[index]?.reject(new Error('failed'));
  }
}

test('who asks during a run shares the next one, which begins after it', async () => {
  const [runs, work] = [new SharedRuns(), new Work()];
  const first = runs.run('a', work.run);
  const crowd = [runs.run('a', work.run), runs.run('a', work.run), runs.run('a', work.run)];
  expect(work.begun).toBe(1);
  work.end(0);
  await first;
  await expect.poll(() => work.begun).toBe(2);
  work.end(1);
  await Promise.all(crowd);
  expect(work.begun).toBe(2);
});

test('another key does not wait', () => {
  const [runs, work] = [new SharedRuns(), new Work()];
  void runs.run('a', work.run);
  void runs.run('b', work.run);
  expect(work.begun).toBe(2);
});

test('a run that fails is told to who shares it, and the next one begins all the same', async () => {
  const [runs, work] = [new SharedRuns(), new Work()];
  const first = runs.run('a', work.run);
  const second = runs.run('a', work.run);
  work.fail(0);
  await expect(first).rejects.toThrow('failed');
  await expect.poll(() => work.begun).toBe(2);
  work.end(1);
  await second;
  const third = runs.run('a', work.run);
  work.fail(2);
  await expect(third).rejects.toThrow('failed');
});
