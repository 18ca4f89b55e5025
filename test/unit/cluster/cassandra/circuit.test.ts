import { expect, test } from 'vitest';
import { Circuit, orderOf } from '../../../../cluster/cassandra/circuit.ts';

test('the own data centre is asked first, and the next one while it fails', () => {
  const [own, next] = [new Circuit(), new Circuit()];
  expect(orderOf([own, next], 0)).toEqual([0, 1]);
  own.failed(0);
  expect(orderOf([own, next], 4999)).toEqual([1]);
});

test('after 5 s one request tries it, and the others go on elsewhere until it has answered', () => {
  const [own, next] = [new Circuit(), new Circuit()];
  own.failed(0);
  expect(orderOf([own, next], 5000)).toEqual([0, 1]);
  expect(orderOf([own, next], 5001)).toEqual([1]);
  own.succeeded();
  expect(orderOf([own, next], 5002)).toEqual([0, 1]);
});

test('where all fail, the own one is asked', () => {
  const [own, next] = [new Circuit(), new Circuit()];
  own.failed(0);
  next.failed(0);
  expect(orderOf([own, next], 1)).toEqual([0]);
});

test('only the first failure, and the first success after it, are news', () => {
  const circuit = new Circuit();
  const news = [circuit.succeeded(), circuit.failed(0), circuit.failed(1), circuit.succeeded()];
  expect({ news }).toEqual({ news: [false, true, false, true] });
});
