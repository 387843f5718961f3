import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

import './document.mjs';
import * as words from '../static/words.js';

const folder = new URL('../static/', import.meta.url);
const source = (name) => readFileSync(new URL(name, folder), 'utf8');
const code = readdirSync(folder).filter((name) => name.endsWith('.js')).map(source).join('\n').replace(/^const WORDS = \{$[^]*?^\};$/m, '');
const NOW = new Date(2026, 4, 20, 15, 30).getTime();

test('both languages have every word, with the same places to fill', () => {
  for (const key of words.keys) {
    const [chinese, english] = words.entry(key);
    assert.ok(chinese && english, key);
    const places = (text) => [...new Set([...text.matchAll(/\{\w+\}/g)].map(String))].sort();
    assert.deepEqual(places(chinese), places(english), key);
  }
});

test('every word that is asked for exists', () => {
  const asked = [...code.matchAll(/\bt\('(\w+)'/g)].map((match) => match[1]);
  assert.ok(asked.length > 50);
  assert.deepEqual(asked.filter((key) => !words.keys.includes(key)), []);
});

test('no word is kept that nobody asks for', () => {
  const composed = /^(theme|note)_|^(owner|admin|member)$/;
  const quoted = (key) => code.includes(`'${key}'`) || code.includes(`${key}: `);
  assert.deepEqual(words.keys.filter((key) => !composed.test(key) && !quoted(key)), []);
});

test('times in the list: relative within the hour, the clock today, then the day', () => {
  words.setLanguage('zh');
  const ago = (minutes) => words.when(NOW - minutes * 60_000, NOW);
  assert.deepEqual([0, 5, 90, 24 * 60, 3 * 24 * 60].map(ago), ['刚刚', '5 分钟前', '14:00', '昨天', '周日']);
  words.setLanguage('en');
  assert.deepEqual([0, 5, 90, 24 * 60].map(ago), ['now', '5 min', '14:00', 'Yesterday']);
});

test('sizes and delays are short', () => {
  assert.deepEqual([999, 1_500, 42_000, 1_200_000].map(words.bytes), ['999 B', '1.5 kB', '42 kB', '1.2 MB']);
  assert.deepEqual([null, 3.21, 250.4, 12_000].map(words.milliseconds), ['–', '3.2 ms', '250 ms', '12.0 s']);
});

test('the language is the browser’s when it is Chinese, else English', () => {
  assert.deepEqual(['zh-CN', 'zh', 'en-US', 'de'].map(words.preferred), ['zh', 'zh', 'en', 'en']);
});
