// Every sentence is said somewhere, says in both languages what is put into it, and is loaded with what says it.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect, test } from 'vitest';

import { words as firstEn } from '@/words/first.en';
import { words as first } from '@/words/first.zh';
import { words as laterEn } from '@/words/later.en';
import { words as later } from '@/words/later.zh';

const chinese: Readonly<Record<string, string>> = { ...first, ...later };
const english: Readonly<Record<string, string>> = { ...firstEn, ...laterEn };
const root = fileURLToPath(new URL('../src/', import.meta.url));
const read = (path: string): string => readFileSync(path, 'utf8');
const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.(ts|vue)$/.test(path) && !path.startsWith('words/'))
  .map((path) => join(root, path));

/** Which of the keys are said in these files. */
function saidIn(paths: Iterable<string>): string[] {
  const source = [...paths].map(read).join('\n');
  // `level.${level}` says all of them.
  const made = [...source.matchAll(/`([a-z]+\.[a-z_]*)\$\{/g)].map(([, begin]) => begin!);
  return Object.keys(chinese).filter((key) => source.includes(`'${key}'`) || made.some((begin) => key.startsWith(begin)));
}

/** The file, and all that is there before it is run. */
function reached(path: string, found = new Set<string>()): Set<string> {
  if (found.has(path)) return found;
  found.add(path);
  for (const [, from = ''] of read(path).matchAll(/^(?:import|export)\s+(?!type\b)(?:[^'";]*\sfrom\s+)?'([@.][^']+)'/gm)) {
    const there = from.startsWith('@/') ? join(root, from.slice(2)) : resolve(dirname(path), from);
    const file = [there, `${there}.ts`, join(there, 'index.ts')].find((one) => /\.(ts|vue)$/.test(one) && existsSync(one));
    if (file && !file.startsWith(join(root, 'words'))) reached(file, found);
  }
  return found;
}

test('no sentence is left over', () => {
  const said = new Set(saidIn(sources));
  expect(Object.keys(chinese).filter((key) => !said.has(key))).toEqual([]);
});

test('what is put into a sentence stands in both languages', () => {
  const put = (said: string): string => [...new Set(said.match(/\{\w+\}/g))].sort().join();
  expect(Object.keys(english).sort()).toEqual(Object.keys(chinese).sort());
  for (const [key, said] of Object.entries(chinese)) expect([key, put(english[key]!)]).toEqual([key, put(said)]);
});

test('there at first is what the list and a conversation say, and nothing else', () => {
  const begins = ['main.ts', 'embed/main.ts'].map((name) => join(root, name));
  expect(Object.keys(first).sort()).toEqual(saidIn(begins.flatMap((path) => [...reached(path)])).sort());
});

test('every component that is loaded later comes with its words', () => {
  const loading = sources.filter((path) => /defineAsyncComponent|import\([^)]*\.vue'\)/.test(read(path)));
  const without = loading.filter((path) => /defineAsyncComponent|(?<!lazy\(\(\) => )import\([^)]*\.vue'\)/.test(read(path)));
  expect(without.map((path) => path.slice(root.length))).toEqual(['ui/base/lazy.ts']);
});
