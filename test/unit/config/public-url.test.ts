import { expect, test } from 'vitest';
import { httpUrlFault, httpUrlOf, rtmpUrlFault, rtmpUrlOf } from '../../../config/public-url.ts';
import { ConfigError, loadConfig } from '../../../config/config.ts';

test.each([
  ['127.0.0.1', 'http://127.0.0.1:8080', 'rtmp://127.0.0.1:8080/live'],
  ['::1', 'http://[::1]:8080', 'rtmp://[::1]:8080/live'],
  ['2001:db8::7', 'http://[2001:db8::7]:8080', 'rtmp://[2001:db8::7]:8080/live'],
  ['media.example.com', 'http://media.example.com:8080', 'rtmp://media.example.com:8080/live'],
  ['0.0.0.0', 'http://127.0.0.1:8080', 'rtmp://127.0.0.1:8080/live'],
  ['::', 'http://[::1]:8080', 'rtmp://[::1]:8080/live'],
])('a node bound to %s is reached under %s and %s', (host, http, rtmp) => {
  const listener = { host, port: 8080, publicUrl: undefined };
  expect({ http: httpUrlOf(listener), rtmp: rtmpUrlOf(listener) }).toEqual({ http, rtmp });
});

test.each([
  ['https://live.example.com', undefined],
  ['http://192.0.2.7:8080/', undefined],
  ['http://[2001:db8::7]:8080', undefined],
  ['live.example.com', /^not a URL of http:\/\/ or https:\/\//],
  ['rtmp://live.example.com/live', /^not a URL of http/],
  ['//live.example.com', /^not a URL/],
  ['http:live.example.com', /^not a URL/],
  ['http://live.example.com ', /^not a URL/],
  ['http://::1:8080', /^not a URL/],
  ['https://me:secret@live.example.com', /user and password/],
  ['https://live.example.com/tangaza', /^its path is not taken/],
  ['https://live.example.com/?a=b', /query or a fragment/],
  ['https://live.example.com/#x', /query or a fragment/],
  ['http://0.0.0.0:8080', /an address that nobody can connect to/],
  ['http://[::]:8080', /an address that nobody can connect to/],
])('as a public URL %s: %s', (text, fault) => {
  if (fault === undefined) expect(httpUrlFault(text)).toBeUndefined();
  else expect(httpUrlFault(text)).toMatch(fault);
});

test.each([
  ['rtmp://media.example.com/live', undefined],
  ['rtmps://media.example.com:443/live/', undefined],
  ['rtmp://[::1]:21935/live', undefined],
  ['rtmp://::1:21935/live', /^not a URL of rtmp:\/\/ or rtmps:\/\//],
  ['http://media.example.com/live', /^not a URL/],
  ['rtmp://media.example.com', /^its path is missing: .*rtmp:\/\/HOST:1935\/live$/],
  ['rtmp://media.example.com/live/my-key', /^its path is not taken/],
  ['rtmp://me@media.example.com/live', /user and password/],
  ['rtmp://media.example.com/live?a', /query or a fragment/],
  ['rtmp://0.0.0.0/live', /an address that nobody/],
  ['rtmp:///live', /names no host/],
])('as a public RTMP URL %s: %s', (text, fault) => {
  if (fault === undefined) expect(rtmpUrlFault(text)).toBeUndefined();
  else expect(rtmpUrlFault(text)).toMatch(fault);
});

test('public URLs are kept without a slash at their end; faults name their variable, secrets stay out', () => {
  const config = loadConfig(
    { TANGAZA_PUBLIC_URL: 'https://a.example.com/', TANGAZA_PUBLIC_RTMP_URL: 'rtmp://a.example.com/live/' },
    4,
  );
  expect(config.http.publicUrl).toBe('https://a.example.com');
  expect(config.rtmp.publicUrl).toBe('rtmp://a.example.com/live');
  const env = {
    TANGAZA_PUBLIC_URL: 'https://me:hunter2@x',
    TANGAZA_HTTP_HOST: '[::1]',
    TANGAZA_RTMP_HOST: 'a:1',
  };
  const load = () => loadConfig(env, 4);
  expect(load).toThrow(ConfigError);
  for (const name of Object.keys(env)) expect(load).toThrow(new RegExp(`^ +${name}: `, 'm'));
  expect(load).not.toThrow('hunter2');
});
