// Where one writes: a line that grows to twelve, Enter sends, an input method is never interrupted.

import { h, icon } from './dom.js';
import { t } from './words.js';

const LINES = 12;
const MOST = 20_000; // the server's own limit answers too-large; this only stops an accident early

export function composerView(app, onSend) {
  const input = h('textarea', { rows: 1, maxlength: MOST, enterkeyhint: 'send', autocomplete: 'off', 'aria-describedby': 'composer-hint' });
  const button = h('button', { type: 'submit', class: 'send', 'aria-label': t('send'), title: `${t('send')} (Enter)` }, icon('send'));
  const node = h('form', { class: 'composer', onsubmit: (event) => (event.preventDefault(), send()) }, input, button,
    h('p', { id: 'composer-hint', class: 'hint' }, t('hint')));
  let conversation = null;

  const grow = () => {
    input.style.height = 'auto';
    const line = parseFloat(getComputedStyle(input).lineHeight);
    input.style.height = `${Math.min(input.scrollHeight, line * LINES + 20)}px`;
    button.disabled = !input.value.trim();
  };
  const send = () => {
    const text = input.value.replace(/\s+$/, '');
    if (!text.trim()) return;
    app.send(text);
    input.value = '';
    grow();
    input.focus();
    onSend();
  };
  input.addEventListener('input', () => {
    grow();
    app.draft(input.value);
  });
  input.addEventListener('keydown', (event) => {
    // 229 is what some browsers tell for the Enter that ends a composition, after isComposing has gone.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    send();
  });

  return {
    node,
    render(title) {
      if (conversation !== app.ui.open) {
        conversation = app.ui.open;
        input.value = app.drafts.get(conversation) ?? '';
        grow();
        if (matchMedia('(hover: hover)').matches) input.focus({ preventScroll: true });
      }
      const label = t('write_to', { who: title });
      if (input.placeholder !== label) {
        input.placeholder = label;
        input.setAttribute('aria-label', label);
      }
    },
  };
}
