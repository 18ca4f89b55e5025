/** An option that takes a number. Its bounds are data, so that wrong use is reported also where nothing is installed (`judge.js`). */
import { InvalidArgumentError, Option } from 'commander';
import { numberFault, type NumberRule } from './judge.js';

export class NumberOption extends Option {
  readonly rule: NumberRule;

  constructor(flags: string, description: string, rule: NumberRule) {
    super(flags, description);
    this.rule = rule;
    this.argParser((text) => {
      const fault = numberFault(text, rule);
      if (fault !== undefined) throw new InvalidArgumentError(fault);
      return Number(text);
    });
  }
}
