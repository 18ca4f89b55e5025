/** Rules that hold the README and the code together; the tables themselves are made by scripts/readme-tables.ts. */
import { z } from 'zod';
import type { CataloguedError } from '../../scripts/readme-tables.ts';
import type { Finding, SourceFile } from './tree.ts';

/** The variables that `config/env.ts` defines: those of a node in `envSpec`, and those that only the CLI reads. */
export function variablesOf(env: string): readonly string[] {
  return [...env.matchAll(/^\s+(TANGAZA_[A-Z0-9_]+):/gm)].map((match) => match[1] ?? '');
}

/** Every `TANGAZA_…` named in code or documents is a variable of `config/env.ts`. Tests may name wrong ones. */
export function checkVariables(files: readonly SourceFile[], known: readonly string[]): readonly Finding[] {
  return files
    .filter(({ path }) => !path.startsWith('test/'))
    .flatMap(({ path, text }) => {
      const named = [...new Set(text.match(/\bTANGAZA_[A-Z0-9_]*[A-Z0-9]\b/g))];
      return named
        .filter((name) => !known.includes(name))
        .map((name) => `${path}: ${name} is not in config/env.ts`);
    });
}

export function checkCatalogue(catalogue: Readonly<Record<string, CataloguedError>>): readonly Finding[] {
  const types = Object.keys(catalogue).map((code) => code.toLowerCase().replaceAll(/_+/g, '-'));
  return Object.entries(catalogue).flatMap(([code, { status, title }], index) => {
    const faults = [
      [/^[A-Z][A-Z0-9_]*$/.test(code), 'codes are in UPPER_CASE'],
      [types.indexOf(types[index] ?? '') === index, 'another code has the same type'],
      [status >= 400 && status <= 599, `${status} is no status of an error`],
      [title.length > 0, 'has no sentence'],
    ] as const;
    return faults.filter(([isGood]) => !isGood).map(([, fault]) => `${code}: ${fault}`);
  });
}

const Manifest = z.object({
  dependencies: z.record(z.string(), z.string()).default({}),
  devDependencies: z.record(z.string(), z.string()).default({}),
});

export function checkDependencies(manifest: string, readme: string): readonly Finding[] {
  const { dependencies, devDependencies } = Manifest.parse(JSON.parse(manifest));
  const names = [...Object.keys(dependencies), ...Object.keys(devDependencies)];
  return names
    .filter((name) => !readme.includes(`\`${name}\``))
    .map((name) => `README.md: says nothing of ${name}`);
}
