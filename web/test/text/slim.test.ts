import { expect, it } from 'vitest';

import { decodeHTMLStrict } from '@/text/slim/entities';

it('decodes what people type, and nothing else', () => {
  expect(decodeHTMLStrict('&lt;b&gt; &amp;amp; &copy; &frac12; &rArr; &nbsp;')).toBe('<b> &amp; © ½ ⇒ \u00a0');
  expect(decodeHTMLStrict('&#65;&#x42;&#0;&#xD800;&#x110000;')).toBe('AB\ufffd\ufffd\ufffd');
  expect(decodeHTMLStrict('&unknown; &amp &; &constructor; &toString;')).toBe('&unknown; &amp &; &constructor; &toString;');
});
