// The first layer, which has to be safe by itself. The second (DOMPurify) needs a real browser: see the tests end to end.
import { describe, expect, it } from 'vitest';

import { unsafe as render } from '@/text/markdown';
import { onlyEmoji } from '@/text/plain';

import ATTACKS from './xss.json';

const ELEMENTS = new Set(['a', 'blockquote', 'br', 'code', 'div', 'em', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'hr', 'li', 'ol', 'p', 'pre', 's', 'span', 'strong', 'table', 'tbody', 'td', 'th', 'thead', 'tr', 'ul']);
const ATTRIBUTES = new Set(['class', 'data-align', 'data-user', 'href', 'rel', 'start', 'tabindex', 'target']);

/** What is wrong with HTML, by a reading that is as strict as possible: every `<` begins an element of the list. */
function faults(html: string): string[] {
  const found: string[] = [];
  const tag = /^<\/?([a-z][a-z0-9]*)((?:\s+[a-z-]+(?:="[^"<>]*")?)*)\s*\/?>/;
  for (let at = html.indexOf('<'); at >= 0; at = html.indexOf('<', at + 1)) {
    const read = tag.exec(html.slice(at));
    if (!read) found.push(`no element: ${html.slice(at, at + 40)}`);
    else if (!ELEMENTS.has(read[1]!)) found.push(`element ${read[1]}`);
    else
      for (const [, name, value] of read[2]!.matchAll(/([a-z-]+)(?:="([^"]*)")?/g)) {
        if (!ATTRIBUTES.has(name!)) found.push(`attribute ${name}`);
        if (name === 'href' && !/^(https?:\/\/|mailto:)/.test(value ?? '')) found.push(`address ${value}`);
      }
  }
  return found;
}

describe('attacks', () => {
  it('are many and all different', () => {
    expect(ATTACKS.length).toBeGreaterThanOrEqual(80);
    expect(new Set(ATTACKS).size).toBe(ATTACKS.length);
  });
  it('are seen by the reading', () => {
    for (const html of ['<script>', '<p onclick="x">', '<a href="javascript:x">', '<p', '<p a=<b>>', '< p>']) expect(faults(html), html).not.toEqual([]);
    expect(faults('<p>a</p><br><a href="https://a.example" rel="x">')).toEqual([]);
  });
  const labels = [
    { id: '<img src=x onerror=alert(1)>', label: '<img src=x onerror=alert(1)>' },
    { id: '"><script>alert(1)</script>', label: '"><script>alert(1)</script>' },
  ];
  it.each(ATTACKS)('nothing comes of %j', (attack) => {
    expect(faults(render(attack, labels, 'me'))).toEqual([]);
  });
});

describe('markdown', () => {
  it('opens links elsewhere and tells them nothing', () => {
    expect(render('[x](https://a.example/b)')).toBe('<p><a href="https://a.example/b" target="_blank" rel="noopener noreferrer">x</a></p>\n');
    expect(render('见https://a.example/b，好')).toContain('>https://a.example/b</a>，好');
    expect(render('a@b.example')).toContain('href="mailto:a@b.example"');
    expect(render('README.md')).toBe('<p>README.md</p>\n');
  });
  it('keeps pictures as links', () => {
    expect(render('![x](https://a.example/b.png)')).toContain('<a href="https://a.example/b.png"');
  });
  it('is bold next to Chinese punctuation', () => {
    expect(render('这是**“重点”**内容')).toContain('<strong>“重点”</strong>');
  });
  it('has tables, code and line ends', () => {
    expect(render('|a|b|\n|:-:|-:|\n|1|2|')).toContain('<td data-align="right">2</td>');
    expect(render('```js\n1 < 2\n```')).toContain('<code class="language-js">1 &lt; 2\n</code>');
    expect(render('a\nb')).toContain('a<br>\nb');
  });
  it('marks who is mentioned, not in code and links', () => {
    const labels = [{ id: 'lihua', label: '李华' }];
    expect(render('请@李华看', labels, 'bob')).toContain('请<span class="mention" data-user="lihua">@李华</span>看');
    expect(render('@李华', labels, 'lihua')).toContain('class="mention mine"');
    expect(render('`@李华` [@李华](https://a.example)', labels)).not.toContain('mention');
  });
});

it('knows what is only emoji', () => {
  for (const text of ['👍', '❤️', '👨‍👩‍👧', '🇨🇳', '🎉 🎉🎉', '👍🏽']) expect(onlyEmoji(text), text).toBe(true);
  for (const text of ['', '1', '👍好', '👍👍👍👍', '#', 'ok']) expect(onlyEmoji(text), text).toBe(false);
});
