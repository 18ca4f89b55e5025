/** Cuts output into lines. A line longer than the bound is passed on in pieces. */
import { StringDecoder } from 'node:string_decoder';

const mostChars = 65_536;

/** @returns a function that takes the output as it comes */
export function linesInto(tell: (line: string) => void): (bytes: Buffer) => void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  return (bytes) => {
    const lines = (rest + decoder.write(bytes)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) tell(line.replace(/\r$/, ''));
    if (rest.length <= mostChars) return;
    tell(rest);
    rest = '';
  };
}
