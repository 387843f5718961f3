import assert from 'node:assert/strict';
import { test } from 'node:test';

import { elements, outline } from './document.mjs';
import { markdown, plain } from '../static/markdown.js';

const written = (source) => outline(markdown(source));
const links = (source) => elements(markdown(source)).filter((node) => node.tag === 'a').map((node) => node.attributes.href);

test('markup in a message stays text', () => {
  const source = '<img src=x onerror=alert(1)><script>alert(2)</script>';
  assert.deepEqual(elements(markdown(source)).map((node) => node.tag), ['p']);
  assert.equal(written(source), `<p>${source}</p>`);
});

test('bold, italic and code inside a line', () => {
  assert.equal(written('**重要** *轻* `a*b*c`'), '<p><strong>重要</strong> <em>轻</em> <code>a*b*c</code></p>');
});

test('a single star and an unclosed mark are themselves', () => {
  assert.equal(written('2 * 3 * 4'), '<p>2 * 3 * 4</p>');
  assert.equal(written('**不完'), '<p>**不完</p>');
});

test('paragraphs, line breaks, quotes and lists', () => {
  assert.equal(written('一\n二\n\n三'), '<p>一<br></br>二</p><p>三</p>');
  assert.equal(written('> 引\n> 用\n答'), '<blockquote>引<br></br>用</blockquote><p>答</p>');
  assert.equal(written('- 甲\n- 乙'), '<ul><li>甲</li><li>乙</li></ul>');
});

test('a fenced block keeps its text as it is', () => {
  assert.equal(written('看\n```sh\nmake **run**\n```\n好'), '<p>看</p><pre><code>make **run**</code></pre><p>好</p>');
  assert.equal(written('```\nhalf'), '<p>```<br></br>half</p>');
});

test('links are made for http and https only', () => {
  assert.deepEqual(links('[点](javascript:alert(1)) [看](data:text/html,x) [好](https://example.org/a)'), ['https://example.org/a']);
  assert.deepEqual(links('javascript:alert(1)'), []);
});

test('a link tells no one where it came from', () => {
  const [link] = elements(markdown('https://example.org')).filter((node) => node.tag === 'a');
  assert.match(link.attributes.rel, /noopener/);
  assert.match(link.attributes.rel, /noreferrer/);
});

test('what closes a sentence does not belong to an address', () => {
  assert.deepEqual(links('看 https://example.org/a。'), ['https://example.org/a']);
  assert.deepEqual(links('(see https://example.org/a).'), ['https://example.org/a']);
  assert.deepEqual(links('https://example.org/a_(b)'), ['https://example.org/a_(b)']);
});

test('an address of 65,000 characters is read at once, and stays text', () => {
  const hostile = ['http://' + '.'.repeat(65_000) + 'a', 'http://a' + '.'.repeat(65_000) + 'a', 'http://a' + ').'.repeat(32_500)];
  const begun = performance.now();
  for (const source of hostile) {
    assert.equal(written(source), `<p>${source}</p>`);
    assert.ok(plain(source).length <= 300);
  }
  assert.ok(performance.now() - begun < 1_000, `${performance.now() - begun} ms`);
});

test('an address may have 2,000 characters', () => {
  const address = 'https://example.org/'.padEnd(2_000, 'a');
  assert.deepEqual(links(`${address} ${address}a`), [address]);
});

test('characters that turn the direction of text are dropped', () => {
  assert.equal(written('a\u202egnp.exe'), '<p>agnp.exe</p>');
  assert.equal(plain('a\u202e\u2066b'), 'ab');
});

test('a message of blanks still has a paragraph', () => {
  assert.equal(markdown(' ').length, 1);
});

test('one line for the list', () => {
  assert.equal(plain('**粗**\n\n`码` [名](https://example.org)\n```\nx\n```'), '粗 码 名 x');
});

test('hostile nesting ends', () => {
  const started = performance.now();
  markdown('*'.repeat(20_000));
  markdown('['.repeat(20_000));
  markdown('**a'.repeat(6_000));
  markdown('`'.repeat(20_000));
  assert.ok(performance.now() - started < 2_000);
});
