// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest';

import { unsafe } from '@/text/markdown';
import { letters, plain } from '@/text/plain';

import ATTACKS from './xss.json';

const PIECES = [
  ...'ab字，。！?!.,:;=-+#(){}^$%"\'/\\`*_[]<>&|~@ \n\t\r\0\u00a0\u3000\u2028\ufeff\u200b19😀',
  '\ud800', '\n\n', '\n1. ', '\n- ', '  \n', '\n---', '\n===', 'http:', '//a.example', 'www.a.example', 'mailto:', 'a@b.example', '&amp;', '1)', '12.', '**', '```', '    ', '[a]: b', '](', '(c)', '...', ':-:',
];

/** The same every time: mulberry32. */
function numbers(seed: number): (below: number) => number {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

function texts(html: string): string {
  const box = document.createElement('div');
  box.innerHTML = html;
  return box.textContent;
}

describe('plain texts', () => {
  it('are what Markdown makes of them, for 10,000 texts of anything', () => {
    const below = numbers(7);
    let taken = 0;
    for (let at = 0; at < 10_000; at += 1) {
      const calm = at % 2 ? 22 : PIECES.length; // half of them of signs that are seldom Markdown
      const text = Array.from({ length: 1 + below(12) }, () => (below(4) ? PIECES[below(calm)]! : ['字', 'a', ' ', '\n'][below(4)]!)).join('');
      const html = plain(text);
      if (html === null) continue;
      taken += 1;
      expect(html.replaceAll('"', '&quot;'), JSON.stringify(text)).toBe(unsafe(text));
    }
    expect(taken).toBeGreaterThan(1_200);
  }, 30_000);
  it('are those one writes', () => {
    for (const text of ['好的', '明天 3:30 见（二楼）？', 'Fine, "see" you - then!', '第一行\n第二行', '50% + 20% = 70%', "it's #1; 3.5"]) expect(plain(text)).not.toBe(null);
    for (const text of ['', ' a', 'a\n\nb', '- a', '1. a', '# a', 'https://a.example', '@li', 'a@b.example', '**a**', '&copy;', '    a']) expect(plain(text), text).toBe(null);
  });
  it('are no attack', () => {
    for (const attack of ATTACKS) {
      const html = plain(attack);
      if (html !== null) expect(html.replaceAll('"', '&quot;')).toBe(unsafe(attack));
      expect(letters(attack).replaceAll(/<\/?p>|<br>/g, '')).not.toContain('<');
    }
    expect(texts(letters('<b>&lt;\n'))).toBe('<b>&lt;\n\n');
  });
});
