// Every sentence is said somewhere, and says in both languages what is put into it.

import { readdirSync, readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { en } from '@/words/en';
import { zh } from '@/words/zh';

const chinese: Readonly<Record<string, string>> = zh;
const english: Readonly<Record<string, string>> = en;
const root = new URL('../src/', import.meta.url);
const source = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.(ts|vue)$/.test(path) && !path.startsWith('words/'))
  .map((path) => readFileSync(new URL(path, root), 'utf8'))
  .join('\n');

test('no sentence is left over', () => {
  // `level.${level}` says all of them.
  const made = [...source.matchAll(/`([a-z]+\.[a-z_]*)\$\{/g)].map(([, begin]) => begin!);
  const left = Object.keys(chinese).filter((key) => !source.includes(`'${key}'`) && !made.some((begin) => key.startsWith(begin)));
  expect(left).toEqual([]);
});

test('what is put into a sentence stands in both languages', () => {
  const put = (said: string): string => [...new Set(said.match(/\{\w+\}/g))].sort().join();
  for (const [key, said] of Object.entries(chinese)) expect([key, put(english[key]!)]).toEqual([key, put(said)]);
});
