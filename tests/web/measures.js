// What is measured in the page itself; each is given one argument. Evaluated as an expression by the browser tests.
({
  height: (selector) => document.querySelector(selector).getBoundingClientRect().height,

  ground: () => getComputedStyle(document.body).backgroundColor,

  /** Left and right edge of the bubble with this text. */
  sides(text) {
    const { left, right } = [...document.querySelectorAll('.bubble')].find((one) => one.textContent === text).getBoundingClientRect();
    return [left, right];
  },

  top: (text) => [...document.querySelectorAll('.bubble')].find((one) => one.textContent === text).getBoundingClientRect().top,

  /** Scrolls the messages to `place`; text and place on the screen of the first bubble that is wholly in view then. */
  firstBubbleAt(place) {
    const messages = document.querySelector('.messages');
    messages.scrollTop = place;
    const edge = messages.getBoundingClientRect().top;
    const first = [...messages.querySelectorAll('.bubble')].find((one) => one.getBoundingClientRect().top >= edge);
    return [first.textContent, first.getBoundingClientRect().top];
  },

  /** What can be pressed and is smaller than `least` pixels in one direction, with its size. Links within text are no targets of that size. */
  smallTargets(least) {
    return [...document.querySelectorAll('button, input, select, textarea')]
      .filter((one) => one.checkVisibility({ visibilityProperty: true }))
      .map((one) => [one.title || one.textContent || one.placeholder || one.name, one.getBoundingClientRect()])
      .filter(([, box]) => Math.min(box.width, box.height) < least - 0.5)
      .map(([name, box]) => `${name}: ${box.width} x ${box.height}`);
  },

  unnamed() {
    return [...document.querySelectorAll('button, input, select, textarea, [role=separator], [role=dialog], dialog')]
      .filter((one) => one.checkVisibility())
      .filter((one) => !(one.getAttribute('aria-label') || one.textContent.trim() || one.labels?.[0]?.textContent.trim()))
      .map((one) => one.outerHTML);
  },

  /** For each pair of custom properties their contrast (WCAG 2.2). Colours are painted, so that any notation counts. */
  contrasts(pairs) {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const probe = document.body.appendChild(document.createElement('i'));
    const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    const luminance = (name) => {
      probe.style.color = `var(${name})`;
      canvas.fillStyle = getComputedStyle(probe).color;
      canvas.fillRect(0, 0, 1, 1);
      const [red, green, blue] = [...canvas.getImageData(0, 0, 1, 1).data].map((value) => linear(value / 255));
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    return pairs.map(([text, ground]) => {
      const [high, low] = [luminance(text), luminance(ground)].sort((a, b) => b - a);
      return [text, ground, (high + 0.05) / (low + 0.05)];
    });
  },
})
