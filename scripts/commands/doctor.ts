/** `tangaza doctor`: says what is missing on this machine. Exit code 0 when nothing is, else 1. */
import { Command, Option } from 'commander';
import { describeChecks, inspect, purposes, type Purpose } from '../doctor.ts';

interface DoctorOptions {
  readonly for: Purpose;
  readonly json?: true;
}

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Says what is missing on this machine and what to do about it; installs nothing.')
    .addOption(new Option('--for <purpose>', 'what the machine is to do').choices(purposes).default('start'))
    .option('--json', 'print { ok, purpose, checks: [{ name, why, state, found, wanted, remedy }] }')
    .action(doctor);
}

async function doctor({ for: purpose, json }: DoctorOptions): Promise<void> {
  const checks = await inspect(purpose);
  const isOk = checks.every(({ state }) => state === 'ok');
  const text = json
    ? JSON.stringify({ ok: isOk, purpose, checks })
    : describeChecks(checks, purpose).join('\n');
  process.stdout.write(`${text}\n`);
  process.exitCode = isOk ? 0 : 1;
}
