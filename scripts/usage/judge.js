/**
 * Decides whether a command line asks for help, is wrong, or is something to run, in the words that commander uses. It is plain JavaScript
 * without packages, so that it answers where nothing is installed yet. `manifest.ts` writes what it knows of the commands.
 */

export function judge(usage, args, version) {
  const [first, ...rest] = args;
  if (usage.commands.length === 0) return judgeLeaf(usage, args);
  if (first === undefined) return { kind: 'wrong', text: usage.help };
  if (first === '--help' || first === '-h') return { kind: 'print', text: usage.help };
  if (version !== '' && (first === '--version' || first === '-V'))
    return { kind: 'print', text: `${version}\n` };
  if (first === 'help') return helpFor(usage, rest);
  if (first.startsWith('-')) return wrong(`unknown option '${first}'`);
  const command = usage.commands.find(({ name }) => name === first);
  return command === undefined ? wrong(`unknown command '${first}'`) : judge(command, rest, '');
}

function helpFor(usage, names) {
  const [first, ...rest] = names;
  if (first === undefined) return { kind: 'print', text: usage.help };
  const command = usage.commands.find(({ name }) => name === first);
  return command === undefined ? wrong(`unknown command '${first}'`) : helpFor(command, rest);
}

function judgeLeaf(usage, args) {
  const values = [];
  let isHelp = false;
  let unknown;
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index];
    if (arg === '--') {
      values.push(...args.slice(index + 1));
      break;
    }
    if (!arg.startsWith('-') || arg === '-') values.push(arg);
    else if (arg === '--help' || arg === '-h') isHelp = true;
    else {
      const [name, inline] = splitAtEquals(arg);
      const option = usage.options.find(({ long, short }) => long === name || short === name);
      if (option === undefined) unknown ??= name;
      else if (option.takesValue) {
        const value = inline ?? args[(index += 1)];
        const fault = valueFault(option, value);
        if (fault !== undefined) return wrong(fault);
      }
    }
  }
  if (isHelp) return { kind: 'print', text: usage.help };
  if (unknown !== undefined) return wrong(`unknown option '${unknown}'`);
  const fault = argumentsFault(usage, values);
  return fault === undefined ? { kind: 'run' } : wrong(fault);
}

function splitAtEquals(arg) {
  const at = arg.indexOf('=');
  return arg.startsWith('--') && at > 0 ? [arg.slice(0, at), arg.slice(at + 1)] : [arg, undefined];
}

function valueFault({ flags, choices, number }, value) {
  if (value === undefined) return `option '${flags}' argument missing`;
  const why =
    number === undefined
      ? choices === undefined || choices.includes(value)
        ? undefined
        : `Allowed choices are ${choices.join(', ')}.`
      : numberFault(value, number);
  return why === undefined ? undefined : `option '${flags}' argument '${value}' is invalid. ${why}`;
}

function argumentsFault(usage, values) {
  for (const [index, { name, isRequired, choices }] of usage.arguments.entries()) {
    const value = values[index];
    if (value === undefined && isRequired) return `missing required argument '${name}'`;
    if (value !== undefined && choices !== undefined && !choices.includes(value))
      return `command-argument value '${value}' is invalid for argument '${name}'. Allowed choices are ${choices.join(', ')}.`;
  }
  const expected = usage.arguments.length;
  return values.length <= expected
    ? undefined
    : `too many arguments for '${usage.name}'. Expected ${expected} argument${expected === 1 ? '' : 's'} but got ${values.length}.`;
}

function wrong(fault) {
  return { kind: 'wrong', text: `error: ${fault}\n(add --help for how to use it)\n` };
}

export function numberFault(text, { least, most, isWhole }) {
  const value = Number(text);
  const isGood = text.trim() !== '' && (isWhole ? Number.isInteger(value) : Number.isFinite(value));
  if (isGood && value >= least && value <= most) return undefined;
  if (least === most) return `It can only be ${least} today.`;
  return `It takes a ${isWhole ? 'whole ' : ''}number from ${least} to ${most}.`;
}
