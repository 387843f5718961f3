// In place of the package `entities` (17 kB), of which markdown-it needs this much: the build puts it there. Names that people
// type are known; any other stays as it was typed.

const NAMED: ReadonlyMap<string, string> = new Map(
  `amp& lt< gt> quot" apos' nbsp\u00a0 ensp\u2002 emsp\u2003 thinsp\u2009 shy\u00ad copy© reg® trade™ hellip… mdash— ndash– middot· bull• sect§ para¶ deg° plusmn±
  times× divide÷ ne≠ le≤ ge≥ asymp≈ infin∞ radic√ sum∑ minus− frac12½ frac14¼ frac34¾ sup1¹ sup2² sup3³ microµ larr← uarr↑ rarr→ darr↓ harr↔ lArr⇐ rArr⇒ hArr⇔
  euro€ pound£ yen¥ cent¢ laquo« raquo» lsquo‘ rsquo’ ldquo“ rdquo” sbquo‚ bdquo„ permil‰ check✓ cross✗ star☆ starf★ hearts♥ alphaα betaβ gammaγ deltaδ lambdaλ muμ piπ sigmaσ omegaω OmegaΩ`
    .split(/[ \n]+/)
    .map((entry) => /^([A-Za-z]+\d*)(.+)$/u.exec(entry))
    .flatMap((found) => (found ? [[found[1]!, found[2]!] as const] : [])),
);

export function decodeHTMLStrict(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([A-Za-z][A-Za-z0-9]{1,31}));/gi, (whole, hex: string, decimal: string, name: string) => {
    if (name) return NAMED.get(name) ?? whole;
    const code = hex ? parseInt(hex, 16) : Number(decimal);
    const valid = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
    return String.fromCodePoint(valid ? code : 0xfffd);
  });
}
